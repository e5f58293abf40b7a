"""What works, and what is answered how soon, while another service is away."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from uuid import uuid4

from chassis.testing import eventually
from tests.integration.gateway.town import Town, request


@contextmanager
def away(town: Town, service: str) -> Iterator[None]:
    """The service is stopped, and back afterwards."""
    town.processes[service].stop()
    try:
        yield
    finally:
        town.processes[service].start()


@contextmanager
def frozen(town: Town, service: str) -> Iterator[None]:
    """The service hangs, with its connections open."""
    import signal

    process = town.processes[service]
    process.signal(signal.SIGSTOP)
    try:
        yield
    finally:
        process.signal(signal.SIGCONT)


def timed(client, path, body, **options):
    started = time.monotonic()
    answer = client.post(path, body, **options)
    return answer, time.monotonic() - started


def unavailable(answer):
    return (
        answer.status_code == 503
        and answer.json()["type"] == "/problems/unavailable"
        and int(answer.headers["Retry-After"]) > 0
        and "tickets" not in answer.text.replace("/tickets", "")
    )


def test_filing_while_tickets_is_away_is_503_in_time_and_one_ticket_later(town):
    body, key = request(), {"Idempotency-Key": str(uuid4())}
    with away(town, "tickets"):
        answer, seconds = timed(town.resident, "tickets", body, headers=key)
        others = [town.resident.get(path).ok for path in ("areas", "inbox", "sessions/current")]

    assert unavailable(answer)
    assert seconds <= 2.5
    assert others == [True] * 3
    made = eventually(lambda: filed(town.resident, body, key), within=20)
    assert town.resident.make("tickets", body, headers=key)["id"] == made["id"]


def filed(client, body, key):
    answer = client.post("tickets", body, headers=key)
    return answer.json() if answer.status_code == 201 else None


def found(client, body):
    """The ids that a search for these words finds, once it is answered: whoever has just come back
    may say 503 a little longer.
    """
    words = body["description"].split("(")[1][:8]
    answer = eventually(lambda: [a for a in [client.get(f"tickets?q={words}")] if a.ok], within=20)
    return [ticket["id"] for ticket in answer[0].json()["items"]]


def test_filing_while_tickets_hangs_is_503_in_time_and_one_ticket_later(town):
    body, key = request(), {"Idempotency-Key": str(uuid4())}
    with frozen(town, "tickets"):
        answer, seconds = timed(town.resident, "tickets", body, headers=key)

    assert unavailable(answer)
    assert seconds <= 2.5
    made = eventually(lambda: filed(town.resident, body, key), within=20)
    assert found(town.resident, body) == [made["id"]]


def test_while_residents_is_away_whoever_is_known_still_files(town):
    known = {"reporter": {"resident": town.ids["resident"]}}
    by_phone = {"reporter": {"name": "王芳", "phone": "13800000001"}}
    with away(town, "residents"):
        mine = town.resident.post("tickets", request())
        unnamed = town.nobody.post("tickets", request())
        for_one = town.grid_worker.post("tickets", request(**known))
        answer, seconds = timed(town.grid_worker, "tickets", request(**by_phone))
        accepted = town.clerk.move(mine.json(), "acceptance")
        staff = {"login": "clerk.login", "password": "password of clerk"}
        signed_in = town.nobody.make("sessions", staff)

    assert (mine.status_code, unnamed.status_code, for_one.status_code) == (201, 201, 201)
    assert unavailable(answer)
    assert seconds <= 2.5
    assert accepted["state"] == "accepted"
    assert signed_in["actor"]["name"] is None
    assert [role["role"] for role in signed_in["actor"]["roles"]] == ["clerk", "resident"]
    eventually(lambda: town.nobody.get("areas").ok, within=20)


def test_while_notifications_is_away_a_code_is_503_and_everything_else_works(town):
    with away(town, "notifications"):
        answer, _ = timed(town.nobody, "sessions/codes", {"phone": "13800000001"})
        assert town.resident.post("tickets", request()).status_code == 201

    assert answer.status_code == 503
    assert int(answer.headers["Retry-After"]) > 0
    eventually(lambda: town.resident.get("inbox").ok, within=20)


def test_a_key_whose_gateway_died_on_the_way_makes_one_ticket(town):
    body, key = request(), {"Idempotency-Key": str(uuid4())}
    made = town.resident.make("tickets", body, headers=key)
    town.processes["gateway"].kill()
    town.processes["gateway"].start()

    eventually(lambda: reachable(town), within=20)

    assert town.resident.make("tickets", body, headers=key)["id"] == made["id"]
    assert found(town.resident, body) == [made["id"]]


def test_filing_while_the_broker_hangs_is_503_in_time_and_one_ticket_later(town, rabbitmq):
    body, key = request(), {"Idempotency-Key": str(uuid4())}
    rabbitmq.freeze()
    try:
        answers = [timed(town.resident, "tickets", body, headers=key) for _ in range(3)]
        ready = town.nobody.get("/readyz").json()["status"]
    finally:
        rabbitmq.thaw()

    assert all(unavailable(answer) for answer, _ in answers)
    assert max(seconds for _, seconds in answers) <= 2.5
    assert ready in ("ready", "degraded")
    made = eventually(lambda: filed(town.resident, body, key), within=20)
    assert found(town.resident, body) == [made["id"]]


def test_while_the_broker_is_away_sessions_still_work_and_filing_is_503(town, rabbitmq):
    body, key = request(), {"Idempotency-Key": str(uuid4())}
    rabbitmq.stop()
    try:
        answer, seconds = timed(town.resident, "tickets", body, headers=key)
        current = town.resident.get("sessions/current")
        eventually(lambda: town.nobody.get("/readyz").json()["status"] == "degraded")
    finally:
        rabbitmq.start()

    assert unavailable(answer)
    assert seconds <= 2.5
    assert current.ok
    eventually(lambda: filed(town.resident, body, key), within=20)


def test_while_the_database_is_away_everything_is_503_and_heals(town, postgres):
    postgres.stop()
    try:
        answer, _ = timed(town.resident, "tickets", request())
    finally:
        postgres.start()

    assert unavailable(answer)
    eventually(lambda: town.resident.post("tickets", request()).status_code == 201, within=20)


def reachable(town):
    import requests

    try:
        return town.nobody.get("/readyz").ok
    except requests.ConnectionError:
        return False
