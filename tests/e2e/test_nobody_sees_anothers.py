"""No sequence of requests shows a resident, or a stranger, what is another's: a machine asks for
everything that the API serves, with another's ids in every place, and every byte of every answer is
searched for canaries and for ids that the asker did not know.
"""

import threading
from typing import Any
from urllib.parse import quote
from uuid import uuid4

import pytest
import requests
import yaml
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test

from chassis.testing import eventually
from deploy.local import places
from tests.e2e import canaries
from tests.e2e.canaries import HOME, Private
from tests.e2e.test_duties_and_rights import Colleague
from tests.stack.clients import Client, filing

WRITTEN = (places.ROOT / "contracts/openapi.yaml").read_text(encoding="utf-8")
# In C: in Python it takes seconds.
CONTRACT = yaml.load(WRITTEN, Loader=yaml.CSafeLoader)
# Ends the asker's own session, or never ends.
LEFT_OUT = {"delete /api/v1/sessions/current", "get /api/v1/events/stream"}
OPERATIONS = {
    f"{method} {path}": declared
    for path, methods in CONTRACT["paths"].items()
    for method, declared in methods.items()
    if method in ("get", "post", "patch", "put", "delete")
}
# What another's and an unknown ticket are asked for alike: a path below it, and a body to post.
ON_A_TICKET = {
    "": None,
    "/history": None,
    "/comments": None,
    "/suggestion": None,
    "/work": {},
    "/follow-up": {"solved": "yes", "satisfied": "yes"},
    "/withdrawal": {"reason": "x"},
}
# Of whom one is told in the household that one has moved into.
STAYS: tuple[dict[str, str], ...] = ({}, {"past": "true"}, {"on": "2018-05-01"})
# Headers that say when and how often, and not what.
COUNTERS = {"date", "ratelimit", "ratelimit-policy", "x-request-id", "content-length"}
VALUES = {
    "q": ("漏水", "路灯", "2026"),
    "area": (HOME, HOME[:12]),
    "within": (HOME, HOME[:12]),
    "near": (HOME,),
    "limit": ("1", "2", "200"),
    "state": ("filed", "resolved", "filed,resolved,assigned"),
    "type": ("linli.tickets.ticket_filed.v1", "linli.residents.resident_registered.v1"),
    "department": ("water",),
    "sort": ("filed_at", "-changed_at"),
}
QUIETLY = settings(
    max_examples=10,
    stateful_step_count=40,
    database=None,
    suppress_health_check=list(HealthCheck),
    # What is served keeps what was done before, so that a failure is not made smaller by trying.
    phases=[Phase.generate],
)


@pytest.fixture(scope="module")
def private(community: Any) -> Private:
    """The one whose things these are."""
    return canaries.settle(community, canaries.NEIGHBOUR)


class Asking(RuleBasedStateMachine):
    """Somebody who asks whatever there is to ask, and goes on from what was answered."""

    private: Private
    askers: dict[str, Client]
    own: str

    @initialize(data=st.data())
    def begin(self, data: st.DataObject) -> None:
        self.draw = data.draw
        self.asker = self.askers[data.draw(st.sampled_from(sorted(self.askers)), "who")]
        self.cursors, self.tags = ["0"], ['"1"', '"1-x"']

    @rule(name=st.sampled_from(sorted(OPERATIONS.keys() - LEFT_OUT)), data=st.data())
    def ask(self, name: str, data: st.DataObject) -> None:
        """Anything, with another's ids wherever one goes."""
        self.draw = data.draw
        method, _, path = name.partition(" ")
        declared = OPERATIONS[name]
        where = path.replace("{id}", quote(self._thing())).replace("{code}", HOME)
        send = self._read if method == "get" else self._write
        answer = send(method, where, self._query(declared), declared)
        search(self.private, answer)
        self._remember(answer)

    @rule(path=st.sampled_from(sorted(ON_A_TICKET)), data=st.data())
    def ask_twice(self, path: str, data: st.DataObject) -> None:
        """What is another's and what is not at all are answered alike."""
        thing = data.draw(st.sampled_from(self.private.tickets), "thing")
        unknown = str(uuid4()) if len(thing) > 20 else "20200101-000009"
        body = ON_A_TICKET[path]
        method = "GET" if body is None else "POST"
        known = {"If-None-Match": "*"} if body is None else {"If-Match": '"1"'}
        headers = known if data.draw(st.booleans(), "conditional") else {}
        theirs, nothing = (
            self.asker.request(method, f"tickets/{one}{path}", json=body, headers=headers)
            for one in (thing, unknown)
        )
        search(self.private, theirs)
        assert alike(theirs, thing) == alike(nothing, unknown)

    @rule(data=st.data())
    def repeat_their_request(self, data: st.DataObject) -> None:
        """Another's Idempotency-Key is of no use, and says nothing."""
        key = data.draw(st.sampled_from(self.private.keys), "key")
        answer = self.asker.post("tickets", filing(description="别人的"), key=key)
        search(self.private, answer)
        assert answer.status_code in (201, 409, 422)

    def _thing(self) -> str:
        pool = [*self.private.ids, self.private.public, self.own, str(uuid4())]
        return self.draw(st.sampled_from(pool), "thing")

    def _query(self, declared: Any) -> dict[str, str]:
        names = [one["name"] for one in declared.get("parameters", ()) if one["in"] == "query"]
        if not names:
            return {}
        chosen = self.draw(st.lists(st.sampled_from(names), unique=True, max_size=3), "query")
        values: dict[str, Any] = {**VALUES, "after": self.cursors}
        return {
            name: self.draw(st.sampled_from(list(values[name])), name)
            if name in values
            else self._thing()
            for name in chosen
        }

    def _read(self, _: str, where: str, query: dict[str, str], __: Any) -> requests.Response:
        known = {"If-None-Match": self.draw(st.sampled_from(self.tags), "tag")}
        return self.asker.request("GET", where, params=query, headers=known)

    def _write(
        self, method: str, where: str, query: dict[str, str], declared: Any
    ) -> requests.Response:
        content = declared.get("requestBody", {}).get("content", {})
        example = next(iter(content.values()), {}).get("example")
        headers = {"If-Match": self.draw(st.sampled_from(self.tags), "tag")}
        if method == "post" and self.draw(st.booleans(), "with a key"):
            headers["Idempotency-Key"] = self.draw(st.sampled_from(self.private.keys), "key")
        body = with_ids(example, str(self.private.resident.id))
        return self.asker.request(method, where, params=query, headers=headers, json=body)

    def _remember(self, answer: requests.Response) -> None:
        if tag := answer.headers.get("ETag"):
            self.tags.append(tag)
        if answer.ok and answer.headers.get("Content-Type", "").endswith("json"):
            found = answer.json()
            if isinstance(found, dict) and found.get("next"):
                self.cursors.append(found["next"])


def test_no_sequence_of_requests_shows_what_is_anothers(community: Any, private: Private) -> None:
    neighbour, dismissed = (
        community.resident("13977700422"),
        whoever_was_a_clerk(community, private),
    )
    stay = {"resident": neighbour.id, "from": "2020-05-01"}
    community.staff("administrator").make(f"households/{private.home}/members", stay)
    Asking.private = private
    Asking.askers = {
        "neighbour": neighbour,
        "stranger": community.anonymous,
        "former clerk": dismissed,
    }
    Asking.own = neighbour.file(description="漏水，我自己的")["id"]
    # What is theirs is there to be asked for: the household, and the public ticket's other events.
    assert neighbour.read(f"households/{private.home}/members")["items"]
    events = {"subject": private.public}
    eventually(lambda: neighbour.read("events", params=events)["items"])

    with Listening(neighbour) as listening:
        run_state_machine_as_test(Asking, settings=QUIETLY)
        listening.until(neighbour.file(description="最后一个")["id"])
    for asker in Asking.askers.values():
        look_around(private, asker)

    wanted = [*private.secrets, *map(str.encode, private.ids)]
    assert [one for one in wanted if one in listening.heard] == []
    # What was looked for is there, and its owner sees it.
    theirs = [private.resident.get(f"tickets/{one}").content for one in private.tickets]
    assert all(canaries.WORDS["description"].encode() in content for content in theirs)


def look_around(private: Private, asker: Client) -> None:
    """Ask where one was told of those before and of what was public, which chance may not ask."""
    members = f"households/{private.home}/members"
    asked: list[tuple[str, dict[str, str]]] = [(members, stays) for stays in STAYS]
    things = [*private.tickets[::2], private.public]
    asked += [("events", {"subject": thing, "limit": "200"}) for thing in things]
    for path, params in [*asked, ("tickets", {"limit": "200"})]:
        search(private, asker.get(path, params=params))


def search(private: Private, answer: requests.Response) -> None:
    """Look for what is another's in every byte of an answer."""
    asked = f"{answer.request.url} {answer.request.body!r}".encode()
    said = whole(answer)
    # Their own request is no news to them.
    shown = [secret for secret in private.secrets if secret in said]
    shown += [one.encode() for one in private.ids if one.encode() in said]
    shown = [one for one in shown if one not in asked]
    assert not shown, (answer.request.method, answer.request.url, answer.request.body, shown)


def whoever_was_a_clerk(community: Any, private: Private) -> Client:
    """Somebody who wrote a ticket down for them while they were a clerk, and is none any more."""
    colleague = Colleague(community)
    duty = colleague.starts("clerk", area=HOME[:12])
    reporter = {"resident": private.resident.id}
    body = filing(description=canaries.WORDS["description"], reporter=reporter)
    ticket = colleague.client.make("tickets", body)
    private.tickets += [ticket["id"], ticket["number"]]
    private.ids += [ticket["id"], ticket["number"]]
    colleague.ends(duty)
    eventually(lambda: len(colleague.roles()) == 1)
    return colleague.client


class Listening:
    """The asker's event stream, from the oldest event on, kept byte by byte."""

    def __init__(self, client: Client) -> None:
        self.heard = b""
        self._client = client.twin()
        self._ended = threading.Event()
        self._found = threading.Condition()
        self._thread = threading.Thread(target=self._listen, daemon=True)

    def __enter__(self) -> "Listening":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join(30)
        self._client.close()

    def until(self, text: str) -> None:
        """Wait until that was heard; raises AssertionError."""
        with self._found:
            assert self._found.wait_for(lambda: text.encode() in self.heard, timeout=30)

    def _listen(self) -> None:
        first = self._client.read("events", params={"limit": 1})["cursor"]
        stream = self._client.get(
            "events/stream", params={"after": first}, stream=True, timeout=(5, 20)
        )
        with stream:
            for line in stream.iter_lines(chunk_size=1):
                with self._found:
                    self.heard += line + b"\n"
                    self._found.notify_all()
                if self._ended.is_set():
                    return


def whole(answer: requests.Response) -> bytes:
    """Every byte of an answer that says something: status line, headers, body."""
    headers = "\n".join(f"{name}: {value}" for name, value in answer.headers.items())
    return f"{answer.status_code} {answer.reason}\n{headers}\n".encode() + answer.content


def alike(answer: requests.Response, thing: str) -> Any:
    """An answer without what differs between any two: its own id, the time, the rate, its name of
    the thing.
    """
    headers = {name.lower(): value for name, value in answer.headers.items()}
    kept = {name: value for name, value in headers.items() if name not in COUNTERS}
    text = answer.text.replace(thing, "<thing>")
    request_id = answer.json().get("request_id", "") if "json" in headers["content-type"] else ""
    return answer.status_code, kept, text.replace(request_id, "") if request_id else text


def with_ids(example: Any, person: str) -> Any:
    """An example's body, about somebody else wherever it names a person."""
    if isinstance(example, dict):
        return {
            name: person
            if name in ("resident", "person", "assignee", "owner") and isinstance(value, str)
            else with_ids(value, person)
            for name, value in example.items()
        }
    return [with_ids(one, person) for one in example] if isinstance(example, list) else example
