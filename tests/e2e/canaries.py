"""Somebody's private things, with a canary in every text of them, and an ear for canaries in
whatever others are answered.
"""

import base64
import json
from dataclasses import dataclass, field
from typing import Any

from chassis.testing import eventually
from tests.stack.clients import Client, Community, filing

HOME = "340603008002.e1.g1.b1.u1"
WORDS = {
    name: f"canary{number}kestrel{name}"
    for number, name in enumerate(
        ("description", "title", "address", "comment", "internal", "note", "reason", "summary")
    )
}
NAME, MASKED_NAME = "欧阳卡纳", "欧**"


@dataclass(frozen=True)
class Person:
    """Whose private things they are; `door` is where they lived before."""

    phone: str
    id_number: str
    door: str

    @property
    def texts(self) -> list[str]:
        """Their numbers and names, and as these are shown, masked, to those who may see them; a
        neighbour may not see that either.
        """
        masked = [f"{self.phone[:3]}****{self.phone[-4:]}", f"110{11 * '*'}{self.id_number[-4:]}"]
        return [self.phone, self.id_number, NAME, MASKED_NAME, *masked]


NEIGHBOUR = Person("13977700421", "110101199003074477", "卡纳里 9")
TRACED = Person("13977700523", "110101199003074493", "卡纳里 10")


@dataclass
class Private:
    """A resident with private tickets, one public one, and an inbox: `ids` of what is theirs, ids
    and numbers of private `tickets` among them, and the Idempotency-Keys they used. They lived in
    `home` before, where whoever asks may live now.
    """

    person: Person
    resident: Client
    ids: list[str] = field(default_factory=list)
    tickets: list[str] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)
    public: str = ""
    home: str = ""

    @property
    def secrets(self) -> list[bytes]:
        """What must never be in an answer to somebody else, in every spelling of it."""
        texts = [*WORDS.values(), *self.person.texts]
        spelt = [*texts, *(json.dumps(text).strip('"') for text in texts)]
        encoded = [base64.b64encode(text.encode()).decode().rstrip("=") for text in texts]
        return [text.encode() for text in {*spelt, *encoded}]


def settle(community: Community, person: Person) -> Private:
    """Let somebody live here whom nobody else is to hear of."""
    staff, water = community.staff("staff"), community.staff("water")
    told = {"name": NAME, "phone": person.phone, "id_number": person.id_number, "area": HOME}
    staff.make("residents", {**told, "address": WORDS["address"]})
    private = Private(person, community.resident(person.phone))
    resident = private.resident
    own = {name: WORDS[name] for name in ("title", "address")}
    for number in range(2):
        key = f"{WORDS['reason']}-{number}"
        body = filing(description=f"漏水 {WORDS['description']}", **own)
        ticket = resident.make("tickets", body, key=key)
        private.keys.append(key)
        private.tickets += [ticket["id"], ticket["number"]]
    _work_on(ticket, staff, water, resident, private)
    public = filing(description="路灯不亮", address=WORDS["address"], visibility="public")
    private.public = resident.make("tickets", public)["id"]
    internal = {"text": WORDS["internal"], "visibility": "internal"}
    private.ids.append(staff.make(f"tickets/{private.public}/comments", internal)["id"])
    shown = {**public, "description": f"路灯不亮 {WORDS['description']}"}
    _hide(resident.make("tickets", shown), staff, private)
    _move_out(staff, private)
    eventually(lambda: len(resident.items("inbox")) >= 4, within=30)
    private.ids += private.tickets
    private.ids += [item["id"] for item in resident.items("inbox")]
    private.ids += [session["id"] for session in resident.items("sessions")]
    private.ids.append(str(resident.id))
    return private


def _work_on(
    ticket: dict[str, Any], staff: Client, water: Client, resident: Client, private: Private
) -> None:
    ticket = staff.move(ticket, "acceptance")
    ticket = staff.move(ticket, "assignment", {"department": "water", "note": WORDS["note"]})
    comments = f"tickets/{ticket['id']}/comments"
    private.ids.append(resident.make(comments, {"text": WORDS["comment"]})["id"])
    internal = {"text": WORDS["internal"], "visibility": "internal"}
    private.ids.append(staff.make(comments, internal)["id"])
    ticket = water.move(ticket, "send-back", {"reason": WORDS["reason"]})
    ticket = staff.move(ticket, "assignment", {"department": "water"})
    water.move(ticket, "resolution", {"summary": WORDS["summary"]})


def _hide(ticket: dict[str, Any], staff: Client, private: Private) -> None:
    """What was public for a while is so no longer, neither are the events from before."""
    path = f"tickets/{ticket['id']}"
    tag = {"If-Match": staff.get(path).headers["ETag"]}
    assert staff.request("PATCH", path, json={"visibility": "private"}, headers=tag).ok
    private.tickets += [ticket["id"], ticket["number"]]
    events = {"subject": ticket["id"], "type": "linli.tickets.ticket_amended.v1"}
    eventually(lambda: staff.read("events", params=events)["items"])


def _move_out(staff: Client, private: Private) -> None:
    door = {"area": HOME, "door": private.person.door, "from": "2010-01-01"}
    home = staff.make("households", door)
    stay = {"resident": private.resident.id, "from": "2015-01-01", "to": "2020-05-01"}
    private.ids.append(staff.make(f"households/{home['id']}/members", stay)["id"])
    private.home = home["id"]
