"""What a collector of spans sees of the whole system: of each request one tree, and of nobody
anything.
"""

from collections.abc import Callable

import pytest

from chassis.testing import eventually
from tests.e2e import canaries
from tests.integration.notifications.receiver import Receiver
from tests.stack.collector import Collector, Span, roots, whole

FILING = "POST /api/v1/tickets"


def move(name: str) -> str:
    """The span of a move of a ticket."""
    return f"POST /api/v1/tickets/<id>/{name}"


def tree(collector: Collector, request: str, complete: Callable[[list[Span]], bool]) -> list[Span]:
    """The spans of the latest such request, once that holds for them and all are there."""

    def found() -> list[Span]:
        latest = [span for span in collector.spans() if span.name == request][-1:]
        spans = [each for span in latest for each in collector.spans(span.trace)]
        return spans if complete(spans) and whole(spans) else []

    return eventually(found, within=60)


def has(*names: str) -> Callable[[list[Span]], bool]:
    """Whether spans of these names are among them."""
    return lambda spans: set(names) <= {span.name for span in spans}


def way(spans: list[Span], name: str) -> list[str]:
    """From the root to the span of this name: whose each is, and what."""
    by_id = {span.id: span for span in spans}
    span: Span | None = next(span for span in spans if span.name == name)
    found: list[str] = []
    while span is not None:
        found.insert(0, f"{span.service}: {span.name}")
        span = by_id.get(span.parent)
    return found


@pytest.fixture(scope="module")
def resolved(stack, community):
    """A ticket that was filed, and worked on until it was resolved."""
    resident, staff = community.resident(), community.staff("staff")
    water = community.staff("water")
    with Receiver() as receiver:
        webhook = water.make("webhooks", {"url": receiver.url("/traced")})
        ticket = resident.file(category="water.no_supply")
        # A step that is heard of first leaves the earlier one untold: each type has its own queue.
        phone = community.ready["sign_ins"]["resident"]["phone"]
        eventually(lambda: any(ticket["number"] in text for text in community.texts(phone)))
        ticket = staff.move(ticket, "acceptance")
        ticket = staff.move(ticket, "assignment", {"department": "water"})
        ticket = water.move(ticket, "work")
        ticket = water.move(ticket, "resolution", {"summary": "阀门已更换"})
        eventually(lambda: len(receiver.of("/traced")) >= 3, within=60)
        water.request("DELETE", f"webhooks/{webhook['id']}")
    return ticket


@pytest.mark.parametrize(
    ("request_", "command", "event"),
    [
        (FILING, "file_ticket", "ticket.filed.v1"),
        (move("resolution"), "resolve", "ticket.resolved.v1"),
    ],
)
def test_a_request_is_one_tree_from_http_to_the_message(
    resolved, collector, request_, command, event
):
    spans = tree(collector, request_, has("send sms", f"publish {event}"))

    assert len(roots(spans)) == 1
    consumer = f"on_{event.replace('.v1', '').replace('.', '_')}"
    assert way(spans, "send sms") == [
        f"gateway: {request_}",
        f"gateway: tickets.{command}",
        f"tickets: tickets.{command}",
        f"tickets-relay: publish {event}",
        f"notifications: process notifications.{consumer}",
        "notifications: deliver",
        "notifications: send sms",
    ]
    asked = [span for span in spans if span.name == "residents.contact"]
    assert {(span.service, span.kind) for span in asked} == {
        ("notifications", "CLIENT"),
        ("residents", "SERVER"),
    }


def test_a_webhook_is_sent_in_the_trace_of_what_it_tells(resolved, collector):
    spans = tree(collector, move("assignment"), has("send standard"))

    assert way(spans, "send standard")[3:] == [
        "tickets-relay: publish ticket.assigned.v1",
        "notifications: process notifications.on_any_event",
        "notifications-webhooks: send standard",
    ]
    [sent] = [span for span in spans if span.name == "send standard"]
    assert sent.attributes["linli.reason"] == "delivered"


def test_what_people_say_and_who_they_are_is_in_no_span(stack, community, collector):
    private = canaries.settle(community, canaries.TRACED)
    community.staff("staff").get(f"residents/{private.resident.id}", params={"q": canaries.NAME})
    eventually(
        lambda: "GET /api/v1/residents/<uuid:id>" in {span.name for span in collector.spans()}
    )

    said = b"".join(collector.bodies)
    assert [secret for secret in private.secrets if secret in said] == []
    assert str(private.resident.id).encode() not in said


def test_an_import_goes_on_in_the_trace_of_whoever_sent_the_file(community, collector):
    file = {"file": ("areas.csv", "code,name\n340603008002,某社区\n".encode())}
    office = community.administrators_key

    assert office.request("POST", "areas/imports?dry_run=true", files=file).status_code == 202

    spans = tree(collector, "POST /api/v1/areas/imports", has("import batch"))
    assert way(spans, "import batch")[0] == "gateway: POST /api/v1/areas/imports"
    assert way(spans, "import batch")[-1] == "residents-importer: import batch"


def test_what_is_done_by_the_clock_is_a_trace_of_its_own(stack, collector):
    def ticks() -> list[Span]:
        return [span for span in collector.spans() if span.name == "tickets.close_silent"]

    assert not eventually(ticks)[0].parent
