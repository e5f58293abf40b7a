"""Brings the community's registry into the system: places, households and people from files, then
departments and duties.
"""

import csv
import io
import time
from collections.abc import Iterable, Sequence

from deploy.api import Api, Refused
from deploy.demo import community
from deploy.demo.community import Duty
from deploy.demo.plan import Issue
from deploy.demo.progress import Bar

_EXISTS = 409
_RELATIONS = ("户主", "配偶", "子女")
_LOOK_EVERY = 0.3
"""Seconds."""


class NotImported(RuntimeError):
    """A file of the demo was not taken as it is."""


class Registry:
    """What the administrator does before the month begins. Done again, it changes nothing."""

    def __init__(self, api: Api) -> None:
        self._api = api

    def provide(self, issues: list[Issue]) -> dict[str, str]:
        """Bring all of it in; returns the person ids of all who act, by actor. Raises Refused,
        NotImported.
        """
        self._import("areas", _areas())
        self._import("households", _households())
        self._import("residents", _residents())
        for code, (zh, en) in community.DEPARTMENTS.items():
            self._once("departments", {"code": code, "name": zh, "names": {"zh": zh, "en": en}})
        staff, reporters = community.staff(), community.reporters(issues)
        people = {}
        with Bar("duties", len(staff) + len(reporters)) as bar:
            for duty in staff:
                people[duty.actor] = self._on_duty(duty)
                bar.step()
            for actor, person in reporters.items():
                people[actor] = self._find(str(person.phone))
                bar.step()
        return people

    def _import(self, kind: str, rows: Sequence[Sequence[str]]) -> None:
        """Send a file, and wait until it is worked through."""
        job = self._api.upload(f"{kind}/imports", f"{kind}.csv", _file(rows))
        seen = 0
        with Bar(kind, len(rows) - 1) as bar:
            while job["state"] not in ("done", "failed"):
                time.sleep(_LOOK_EVERY)
                job = self._api.get(f"{kind}/imports/{job['id']}")
                bar.step(job["done"] - seen)
                seen = job["done"]
        if job["state"] == "failed" or job["failed"]:
            raise NotImported(f"{kind}: {job['failed']} rows failed: {job['errors'][:3]}")

    def _on_duty(self, duty: Duty) -> str:
        person = self._find(duty.phone)
        where = {"area": duty.area} if duty.area else {"department": duty.department}
        body = {"person": person, "role": duty.role, "from": community.SINCE, **where}
        self._api.post("duties", body, key=f"demo-{community.COMMUNITY}-duty-{duty.actor}")
        return person

    def _find(self, phone: str) -> str:
        found: str = self._api.post("residents/searches", {"phone": phone})["items"][0]["id"]
        return found

    def _once(self, path: str, body: dict[str, object]) -> None:
        try:
            self._api.post(path, body, key=f"demo-{path}-{body['code']}")
        except Refused as refused:
            if refused.status != _EXISTS:
                raise


def _areas() -> list[Sequence[str]]:
    rows = [(code, zh, en) for code, (zh, en) in community.places().items()]
    return [("区域代码", "名称", "英文名称"), *rows]


def _residents() -> list[Sequence[str]]:
    living = [
        (
            *(person.name, person.phone or "", person.id_number, person.area),
            *(household.door, relation, community.SINCE),
        )
        for household in community.households()
        for person, relation in zip(household.people, _RELATIONS, strict=False)
    ]
    staff = [(duty.name, duty.phone, "", duty.area or "", "", "", "") for duty in community.staff()]
    headings = ("姓名", "手机号", "身份证号", "区域代码", "门牌号", "与户主关系", "入住日期")
    return [headings, *living, *staff]


def _households() -> list[Sequence[str]]:
    rows = [
        (household.area, household.door, "自有", community.SINCE)
        for household in community.households()
    ]
    return [("区域代码", "门牌号", "产权", "起始日期"), *rows]


def _file(rows: Iterable[Sequence[str]]) -> bytes:
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    return text.getvalue().encode("utf-8-sig")
