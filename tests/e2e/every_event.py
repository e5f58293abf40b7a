"""A life in which every kind of event happens, played over the API."""

import random
from datetime import timedelta
from typing import Any

from chassis import clock
from tests.stack.clients import BUILDING, Client, Community, a_word

TODAY = clock.local(clock.now()).date()
GRID = BUILDING.rpartition(".")[0]


def play(community: Community) -> None:
    """Whatever can happen, happens once."""
    secretary, staff = community.staff("secretary"), community.staff("staff")
    administrator = community.staff("administrator")
    _tickets(community, secretary, staff)
    _change(administrator, f"areas/{_building(administrator)}", name="另一栋")
    _departments(administrator)
    person = _people(staff)
    _households(staff, person)
    _duties(administrator, person)
    administrator.make(f"residents/{person}/erasure", {"reason": "本人书面申请"})


def _tickets(community: Community, secretary: Client, staff: Client) -> None:
    resident, water = community.resident(), community.staff("water")
    ticket = staff.move(resident.file(), "acceptance")
    path = f"tickets/{ticket['id']}"
    ticket = staff.move(ticket, "assignment", {"department": "water"})
    ticket = water.move(ticket, "send-back", {"reason": "Not ours."})
    ticket = staff.move(ticket, "assignment", {"department": "water"})
    ticket = water.move(ticket, "work")
    water.make(f"{path}/comments", {"text": "On the way.", "visibility": "public"})
    _change(staff, path, category="water.no_supply")
    ticket = water.move(staff.read(path), "resolution", {"summary": "Done."})
    again = {"solved": "no", "satisfied": "no", "reason": "It still leaks."}
    ticket = resident.move(ticket, "follow-up", again)
    ticket = water.move(ticket, "resolution", {"summary": "Done, really."})
    resident.move(ticket, "follow-up", {"solved": "yes", "satisfied": "yes"})
    why = {"rate": "resolution_rate", "reason": "Asked for by nobody."}
    secretary.make(f"{path}/exclusion", why)
    answer = secretary.request("DELETE", f"{path}/exclusion", params={"rate": "resolution_rate"})
    assert answer.ok, answer.text
    staff.move(resident.file(), "refusal", {"reason": "Not for us."})
    resident.move(resident.file(), "withdrawal", {"reason": "It has stopped."})


def _building(administrator: Client) -> str:
    known = administrator.items(f"areas/{GRID}/children")
    number = max(int(each["code"].rpartition(".b")[2]) for each in known) + 1
    code: str = administrator.make("areas", {"code": f"{GRID}.b{number}", "name": "新楼"})["code"]
    return code


def _departments(administrator: Client) -> None:
    code = a_word()
    administrator.make("departments", {"code": code, "name": "燃气公司"})
    _change(administrator, f"departments/{code}", active=False)


def _people(staff: Client) -> str:
    phone = f"139{random.randrange(10**8):08}"
    told = {"name": "周全", "phone": phone, "area": BUILDING}
    person: str = staff.make("residents", told)["id"]
    _change(staff, f"residents/{person}", name="周全全")
    _change(staff, f"residents/{person}", phone=None)
    return person


def _households(staff: Client, person: str) -> None:
    home = {"area": BUILDING, "door": a_word(), "tenure": "owned", "from": _day(-30)}
    path = f"households/{staff.make('households', home)['id']}"
    _change(staff, path, tenure="rented")
    stay = {"resident": person, "relation": "other", "from": _day(-30)}
    member = staff.make(f"{path}/members", stay)["id"]
    staff.make(f"{path}/members/{member}/departure", {"to": _day(-2)})
    staff.make(f"{path}/closure", {"to": _day(-1)})


def _duties(administrator: Client, person: str) -> None:
    duty = {"person": person, "role": "grid_worker", "area": GRID, "from": _day(-9)}
    path = f"duties/{administrator.make('duties', duty)['id']}"
    _change(administrator, path, to=_day(2))
    _change(administrator, path, to=_day(-1))


def _change(client: Client, path: str, **changes: Any) -> None:
    known = {"If-Match": client.get(path).headers["ETag"]}
    answer = client.request("PATCH", path, json=changes, headers=known)
    assert answer.ok, (path, answer.text)


def _day(days: int) -> str:
    return str(TODAY + timedelta(days))
