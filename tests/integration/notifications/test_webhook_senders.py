"""Senders that are told otherwise, are killed, or share the work."""

from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path
from secrets import token_bytes

import pytest
from prometheus_client import CollectorRegistry
from prometheus_client.multiprocess import MultiProcessCollector

from chassis.testing import eventually
from tests.integration.notifications.receiver import Receiver


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as receiver:
        yield receiver


INSIDE = (
    "localhost",
    "127.0.0.1",
    "2130706433",
    "0x7f.1",
    "0177.0.0.1",
    "[::1]",
    "[::ffff:127.0.0.1]",
    "[64:ff9b::7f00:1]",
    "169.254.169.254",
    "10.1.2.3",
)


def test_nothing_goes_inside_at_any_attempt(world, receiver):
    urls = [
        receiver.url(f"/inside/{scheme}", host=host).replace("http:", f"{scheme}:")
        for host in INSIDE
        for scheme in ("http", "https")
    ]
    watched = {url: world.endpoint("https://hooks.example.org/") for url in urls}
    for url, endpoint in watched.items():
        # As if it had been let through when it was made.
        endpoint.change(url=url)

    with world.sender(LINLI_WEBHOOK_ALLOWED_NETWORKS=""):
        world.filed()

        eventually(lambda: all(len(each.reasons) > 1 for each in watched.values()), within=30)
    reasons = {url: set(endpoint.reasons) for url, endpoint in watched.items()}
    assert reasons == {url: {"address_refused"} for url in urls}
    assert receiver.heard == []


def key_is_foreign(folder: Path) -> float | None:
    """What senders that count into this folder tell of their key."""
    registry = CollectorRegistry()
    MultiProcessCollector(registry, path=str(folder))
    return registry.get_sample_value("linli_webhook_key_foreign")


def test_a_sender_with_a_key_that_opens_nothing_leaves_everything_to_others(
    world, receiver, tmp_path
):
    endpoint = world.endpoint(receiver.url("/wrong-key"))
    world.filed()
    wrong = b64encode(token_bytes(32)).decode()

    with world.sender(LINLI_WEBHOOK_KEY=wrong, PROMETHEUS_MULTIPROC_DIR=str(tmp_path)) as sender:
        eventually(lambda: "webhook_key_opens_nothing" in sender.log, within=20)
        eventually(lambda: key_is_foreign(tmp_path) == 1)
        assert endpoint.row.state == "active"
        with world.sender():
            eventually(lambda: endpoint.reasons == ["delivered"], within=20)


def hosts(folder: Path, *addresses: str) -> Path:
    """A file that says which addresses `many.example` has; eventlet's resolver gives IPv6 first."""
    path = folder / "hosts"
    path.write_text("".join(f"{address} many.example\n" for address in addresses))
    return path


def test_a_name_with_an_address_to_which_there_is_no_way_is_reached_by_its_other(
    world, receiver, tmp_path
):
    # Nobody listens there on the receiver's port: as without a route, connecting fails.
    names = hosts(tmp_path, "::1", "127.0.0.1")
    endpoint = world.endpoint(receiver.url("/other", host="many.example"))

    with world.sender(names):
        world.filed()

        eventually(lambda: endpoint.reasons[:1] == ["delivered"])
    assert receiver.of("/other")[0].headers["host"] == f"many.example:{receiver.port}"


@pytest.mark.parametrize(
    ("allowed", "reason"), [("127.0.0.0/8", "delivered"), ("10.0.0.0/8", "address_refused")]
)
def test_every_address_of_a_name_is_checked(world, receiver, tmp_path, allowed, reason):
    names = hosts(tmp_path, "::1", "127.0.0.1")
    with Receiver(port=receiver.port, address="::1") as inside:
        endpoint = world.endpoint(receiver.url(f"/checked/{reason}", host="many.example"))

        with world.sender(names, LINLI_WEBHOOK_ALLOWED_NETWORKS=allowed):
            world.filed()

            eventually(lambda: endpoint.reasons[:1] == [reason])
        assert inside.heard == []
    assert bool(receiver.of(f"/checked/{reason}")) is (reason == "delivered")


def test_what_a_killed_sender_had_in_hand_comes_due_again_and_is_recorded_once(world, receiver):
    endpoint = world.endpoint(receiver.url("/killed"))

    with world.sender(LINLI_FAULT="webhook.sent") as killed:
        event = world.filed()
        assert killed.wait() == -9
    assert endpoint.states == ["queued"]
    with world.sender():
        eventually(lambda: endpoint.states == ["delivered"], within=15)

    assert endpoint.reasons == ["sender_lost", "delivered"]
    heard = [each.headers["webhook-id"] for each in receiver.of("/killed")]
    # It had been sent before the kill: the id tells the receiver that it is the same.
    assert heard == [event.id] * 2


def test_a_sender_that_is_told_to_stop_records_what_is_on_its_way(world, receiver):
    endpoint = world.endpoint(receiver.url("/stopping", wait=0.5))

    with world.sender() as sender:
        world.filed()
        eventually(lambda: receiver.of("/stopping"))
        assert sender.stop() == 0

    assert endpoint.states == ["delivered"]


def test_a_sender_that_is_told_to_stop_waits_for_the_database_to_record(world, receiver, postgres):
    endpoint = world.endpoint(receiver.url("/away", wait=4))
    patient = {
        "LINLI_GRACE_SECONDS": "60",
        "LINLI_WEBHOOK_TIMEOUT": "30",
        "LINLI_WEBHOOK_LEASE": "60",
    }

    with world.sender(**patient) as sender:
        world.filed()
        eventually(lambda: receiver.of("/away"))
        postgres.stop()
        try:
            sender.ask_to_stop()
            eventually(lambda: "webhook_attempted" in sender.log)
            eventually(lambda: "sender_without_database" in sender.log)
        finally:
            postgres.start()
        assert sender.wait(within=60) == 0

    assert endpoint.states == ["delivered"]


def test_two_senders_share_the_work_and_deliver_nothing_twice(world, receiver):
    urls = [receiver.url(f"/shared/{number}", wait=0.02) for number in range(6)]
    watched = [world.endpoint(url) for url in urls]
    few = {"LINLI_WEBHOOK_SLOTS": "4"}

    with world.sender(**few) as one, world.sender(**few) as other:
        eventually(lambda: all("sender_started" in each.log for each in (one, other)), 20)
        for _ in range(40):
            world.filed()
        eventually(lambda: all(set(each.states) == {"delivered"} for each in watched), within=30)
        shares = [each.log.count('"webhook_attempted"') for each in (one, other)]

    for number, each in enumerate(watched):
        heard = [request.headers["webhook-id"] for request in receiver.of(f"/shared/{number}")]
        assert len(heard) == len(set(heard)) == 40
        assert each.reasons == ["delivered"] * 40
    assert sum(shares) == 240
    assert all(shares)
