"""Deliveries by a real sender, over a real database, to real servers on loopback."""

import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine
from standardwebhooks import Webhook as StandardWebhook
from svix.webhooks import Webhook as SvixWebhook

from chassis.clock import now
from chassis.testing import eventually
from services.notifications.webhooks.sending import RESPONSE_CAP
from tests.integration.notifications.receiver import Receiver, certificate
from tests.integration.notifications.webhook_world import LONG_AGO, SenderProcess, World, told
from tests.integration.notifications.world import TicketStory


@pytest.fixture(scope="module")
def receiver() -> Iterator[Receiver]:
    with Receiver() as receiver:
        yield receiver


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, tuple[Path, Path]]:
    return certificate(tmp_path_factory.mktemp("tls"), "known")


@pytest.fixture(scope="module")
def secure(authority: tuple[Path, tuple[Path, Path]]) -> Iterator[Receiver]:
    with Receiver(authority[1]) as receiver:
        yield receiver


@pytest.fixture(scope="module")
def environ(webhook_environ: dict[str, str], authority: Any) -> dict[str, str]:
    return {**webhook_environ, "LINLI_WEBHOOK_CA_FILE": str(authority[0])}


@pytest.fixture(scope="module")
def sender(engine: Engine, environ: dict[str, str]) -> Iterator[SenderProcess]:
    with World(engine, environ).sender() as sender:
        yield sender


@pytest.fixture
def world(engine: Engine, environ: dict[str, str], sender: SenderProcess) -> World:
    return World(engine, environ)


def test_an_event_is_handed_over_as_it_was_on_the_bus_and_signed(world, secure):
    endpoint = world.endpoint(secure.url("/signed", host="localhost"))

    event = world.filed()

    (heard,) = eventually(lambda: secure.of("/signed"))
    assert heard.body == event.body
    assert heard.headers["content-type"] == "application/cloudevents+json; charset=utf-8"
    assert heard.headers["webhook-id"] == event.id
    verified = StandardWebhook(endpoint.secret).verify(heard.body, dict(heard.headers))
    assert verified == json.loads(event.body)
    # Raises for a signature that is not right.
    SvixWebhook(endpoint.secret).verify(heard.body, dict(heard.headers))
    eventually(lambda: endpoint.states == ["delivered"])
    (attempt,) = endpoint.attempts
    assert (attempt.reason, attempt.status) == ("delivered", 204)
    assert endpoint.secret not in str(attempt.request)
    assert heard.headers["webhook-signature"] not in str(attempt.request)


@pytest.mark.parametrize(
    ("manner", "reason"),
    [
        ({"status": 500}, "server_error"),
        ({"status": 400}, "client_error"),
        ({"status": 302, "headers": {"Location": "/elsewhere"}}, "redirected"),
        ({"status": 503}, "throttled"),
        ({"wait": 30}, "timeout"),
        ({"status": 200, "body": b"x" * 10_000, "drip": 0.05}, "timeout"),
    ],
    ids=["500", "400", "302", "503", "silence", "drip"],
)
def test_what_went_wrong_is_noted_and_tried_again(world, receiver, manner, reason):
    path = f"/wrong/{reason}/{manner.get('status', 0)}/{manner.get('drip', 0)}"
    endpoint = world.endpoint(receiver.url(path, **manner))

    event = world.filed()

    eventually(lambda: endpoint.reasons[:2] == [reason, reason], within=15)
    ids = {heard.headers["webhook-id"] for heard in receiver.of(path)}
    assert ids == {event.id}
    assert receiver.of("/elsewhere") == []


def test_a_delivery_is_tried_on_the_schedule_and_then_given_up(world, receiver):
    endpoint = world.endpoint(receiver.url("/down", status=500))

    world.filed()

    eventually(lambda: endpoint.states == ["failed"], within=15)
    assert endpoint.reasons == ["server_error"] * 4
    assert [attempt.next_attempt_at is None for attempt in endpoint.attempts] == [
        *(False, False, False),
        True,
    ]


def test_a_receiver_that_recovers_gets_what_it_missed(world, receiver):
    endpoint = world.endpoint(receiver.url("/recovers", statuses=(500, 503)))

    world.filed()

    eventually(lambda: endpoint.states == ["delivered"], within=15)
    assert endpoint.reasons == ["server_error", "throttled", "delivered"]
    assert endpoint.row.failures == 0
    assert endpoint.row.failing_since is None


def test_a_huge_answer_is_read_to_a_cap(world, receiver):
    huge = b"y" * (RESPONSE_CAP * 200)
    endpoint = world.endpoint(receiver.url("/huge", status=200, body=huge))

    world.filed()

    eventually(lambda: endpoint.states == ["delivered"])
    assert 0 < len(endpoint.attempts[0].excerpt) <= RESPONSE_CAP


@pytest.mark.parametrize(
    ("headers", "body"),
    [
        ({"Location": "/elsewhere"}, b"y" * (RESPONSE_CAP * 200)),
        ({"Location": "/elsewhere", "Content-Encoding": "gzip"}, gzip.compress(bytes(10**7))),
        ({"Location": "http://["}, b"nowhere"),
    ],
    ids=["huge", "bomb", "malformed"],
)
def test_a_redirect_is_read_to_a_cap_and_no_further_than_that(world, receiver, headers, body):
    path = f"/redirect/{len(body)}"
    endpoint = world.endpoint(receiver.url(path, status=302, headers=headers, body=body))

    world.filed()

    eventually(lambda: endpoint.reasons[:1] == ["redirected"])
    # Had it been read before, to see where it leads, nothing of it would be left to keep.
    excerpt = endpoint.attempts[0].excerpt
    assert excerpt == body.decode("utf-8", "replace").replace("\0", "\ufffd")[: len(excerpt)]
    assert len(excerpt) > 0
    assert receiver.of("/elsewhere") == []


def test_an_endpoint_that_is_gone_is_disabled_at_once(world, receiver):
    endpoint = world.endpoint(receiver.url("/gone", status=410))

    world.filed()

    eventually(lambda: endpoint.row.state == "disabled")
    assert endpoint.row.reason == "gone"
    later = world.filed()
    assert endpoint.states == ["queued", "skipped"]
    assert later.id not in {heard.headers["webhook-id"] for heard in receiver.of("/gone")}


def test_an_endpoint_that_failed_for_five_days_is_disabled(world, receiver):
    endpoint = world.endpoint(receiver.url("/failing", status=500))
    endpoint.change(failures=2, failing_since=now() - LONG_AGO)

    world.filed()

    eventually(lambda: endpoint.row.state == "disabled")
    assert endpoint.row.reason == "failing"


def test_a_receiver_that_asks_for_patience_is_given_it(world, receiver):
    endpoint = world.endpoint(receiver.url("/busy", status=429, headers={"Retry-After": "120"}))
    before = now()

    world.filed()

    eventually(lambda: endpoint.reasons == ["throttled"])
    assert (endpoint.deliveries[0].next_attempt_at - before).total_seconds() >= 120
    world.filed()
    assert (endpoint.row.ready_at - before).total_seconds() >= 120


def test_a_certificate_that_nobody_vouches_for_is_refused(world, tmp_path):
    _, strangers = certificate(tmp_path, "unknown")
    with Receiver(strangers) as stranger:
        endpoint = world.endpoint(stranger.url("/", host="localhost"))

        world.filed()

        eventually(lambda: endpoint.reasons[:1] == ["tls_failed"])
        assert stranger.heard == []


def test_what_does_not_speak_tls_is_refused(world, receiver):
    url = receiver.url("/plain", host="localhost").replace("http://", "https://")
    endpoint = world.endpoint(url)

    world.filed()

    eventually(lambda: endpoint.reasons[:1] == ["tls_failed"])


def test_where_nobody_listens_is_unreachable(world, free_port):
    endpoint = world.endpoint(f"http://127.0.0.1:{free_port()}/")

    world.filed()

    eventually(lambda: endpoint.reasons)
    assert endpoint.reasons[0] == "unreachable"


def test_a_name_that_nobody_knows_is_not_found(world):
    endpoint = world.endpoint("https://nobody.invalid/")

    world.filed()

    eventually(lambda: endpoint.reasons[:1] == ["dns_lookup_failed"], within=15)


def test_many_arrive_in_the_order_of_their_ticket_where_that_is_asked_for(world, receiver):
    endpoint = world.endpoint(receiver.url("/ordered", wait=0.02, statuses=(500,)), ordered=True)
    stories = [TicketStory() for _ in range(3)]
    names = ("filed", "accepted", "assigned", "started", "resolved", "closed")
    events = [told(story.event(name)) for name in names for story in stories]

    world.arrive(*events)

    eventually(lambda: set(endpoint.states) == {"delivered"}, within=20)
    bodies = [json.loads(heard.body) for heard in receiver.of("/ordered")]
    for story in stories:
        seen = [int(body["sequence"]) for body in bodies if body["subject"] == story.ticket]
        # A failed one comes again, and nothing overtakes it.
        assert seen == sorted(seen)
        assert sorted(set(seen)) == [1, 2, 3, 4, 5, 6]


def test_a_rate_is_kept(world, receiver):
    endpoint = world.endpoint(receiver.url("/slowly"), rate=120)

    for _ in range(6):
        world.filed()

    eventually(lambda: endpoint.states == ["delivered"] * 6, within=15)
    times = [heard.at for heard in receiver.of("/slowly")]
    # The bucket holds those of one second; the others come half a second apart.
    assert times[-1] - times[0] >= 1.5


def test_a_dead_endpoint_is_probed_by_one_at_a_time(world, receiver):
    endpoint = world.endpoint(receiver.url("/dead", status=500))

    for _ in range(30):
        world.filed()

    eventually(lambda: endpoint.row.probe_at is not None)
    eventually(lambda: not any(each.claimed_at for each in endpoint.deliveries))
    heard = len(receiver.of("/dead"))
    assert heard < 30
    assert "queued" in endpoint.states
    receiver.url("/dead", status=204)
    endpoint.change(probe_at=now())
    eventually(lambda: set(endpoint.states) <= {"delivered", "queued"}, within=5)
    eventually(lambda: endpoint.row.probe_at is None, within=5)
    eventually(lambda: endpoint.states == ["delivered"] * 30, within=20)


def test_a_handshake_comes_first_where_it_is_asked_for(world, receiver):
    url = receiver.url("/consents", status=405)
    endpoint = world.endpoint(url, handshake=True)

    world.filed()
    eventually(lambda: endpoint.row.reason == "client_error")
    assert endpoint.states == ["skipped"]
    receiver.url("/consents", status=200, headers={"WebHook-Allowed-Origin": "other.example"})
    eventually(lambda: endpoint.row.reason == "not_allowed", within=10)
    # Behind more than is kept of an answer.
    many = {f"X-{number}": "something" for number in range(40)}
    allowed = {**many, "WebHook-Allowed-Origin": "linli", "WebHook-Allowed-Rate": "100"}
    receiver.url("/consents", status=200, headers=allowed)
    endpoint.change(handshake_at=now())

    eventually(lambda: endpoint.row.state == "active", within=10)
    assert endpoint.row.rate == 100
    world.filed()
    eventually(lambda: endpoint.states == ["skipped", "delivered"])
    methods = [heard.method for heard in receiver.of("/consents")]
    assert set(methods[:-1]) == {"OPTIONS"}
    assert methods[-1] == "POST"
    assert receiver.of("/consents")[0].headers["webhook-request-origin"] == "linli"
