"""`Idempotency-Key`: one effect, one answer, over HTTP and on the database."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from uuid import uuid4

import pytest
from sqlalchemy import update
from sqlalchemy.orm import Session

from chassis.clock import now
from services.gateway import idempotency
from services.gateway.idempotency import (
    KEPT,
    LEASE,
    Claim,
    KeyReused,
    Scope,
    StillRunning,
    Stored,
    body_digest,
)
from services.gateway.models import IdempotencyKey
from tests.integration.gateway.town import request

BODY, OTHER = (body_digest(b"secret", body) for body in (b"{}", b"[]"))
ANSWER = Stored(201, {"Location": "/x"}, b"{}")


@pytest.fixture
def scope():
    return Scope("person 1", "POST", "/x", str(uuid4())).digest()


def test_fifty_posts_with_one_key_make_one_ticket(town):
    body, key = request(), {"Idempotency-Key": str(uuid4())}
    start = threading.Barrier(50)

    def post(_number):
        start.wait()
        return town.resident.post("tickets", body, headers=key)

    with ThreadPoolExecutor(50) as threads:
        answers = list(threads.map(post, range(50)))
    made = {answer.json()["id"] for answer in answers if answer.status_code == 201}
    listed = town.resident.get(f"tickets?q={body['description'].split('(')[1][:8]}").json()

    assert {answer.status_code for answer in answers} <= {201, 409}
    assert len(made) == 1
    assert [ticket["id"] for ticket in listed["items"]] == list(made)


def test_a_repeated_post_gets_the_same_answer(town):
    body, key = request(), {"Idempotency-Key": str(uuid4())}
    first = town.resident.post("tickets", body, headers=key)
    reordered = dict(reversed(body.items()))

    again = town.resident.post("tickets", reordered, headers=key)

    assert (again.status_code, again.json()) == (201, first.json())
    for name in ("Location", "ETag", "Content-Type"):
        assert again.headers[name] == first.headers[name]
    assert again.headers["Idempotency-Replayed"] == "true"


def test_another_body_under_the_same_key_is_422(town):
    key = {"Idempotency-Key": str(uuid4())}
    town.resident.make("tickets", request(), headers=key)

    refused = town.resident.post("tickets", request(), headers=key)

    assert refused.status_code == 422
    assert refused.json()["type"] == "/problems/idempotency_key_reused"


def test_a_key_belongs_to_its_caller_and_its_path(town):
    key, body = {"Idempotency-Key": str(uuid4())}, request()

    mine = town.resident.make("tickets", body, headers=key)
    theirs = town.neighbour.make("tickets", body, headers=key)
    comment = town.resident.make(
        f"tickets/{mine['id']}/comments", {"text": "and one more thing"}, headers=key
    )

    assert len({mine["id"], theirs["id"], comment["id"]}) == 3


def test_somebody_without_a_session_has_keys_by_address(town):
    key, body = {"Idempotency-Key": str(uuid4())}, request()

    first, again = (town.nobody.make("tickets", body, headers=key) for _ in range(2))

    assert first["id"] == again["id"]


def test_a_repeated_move_moves_once(town):
    ticket = town.file(town.resident)
    headers = {"Idempotency-Key": str(uuid4()), "If-Match": '"1-x"'}
    path = f"tickets/{ticket['id']}/acceptance"

    first, again = (town.clerk.post(path, headers=headers) for _ in range(2))
    history = town.clerk.get(f"tickets/{ticket['id']}/history").json()["items"]

    assert (first.status_code, first.json()) == (again.status_code, again.json())
    assert [entry["move"] for entry in history] == ["filing", "acceptance"]


def test_a_conflict_is_not_stored(town):
    ticket = town.file(town.resident)
    headers = {"Idempotency-Key": str(uuid4()), "If-Match": '"1-x"'}
    path = f"tickets/{ticket['id']}/work"
    early = town.secretary.post(path, headers=headers)

    again = town.secretary.post(path, headers=headers)

    assert early.status_code == again.status_code
    assert "Idempotency-Replayed" not in again.headers


def test_after_a_crash_the_answer_is_rebuilt(town, engine):
    body, key = request(), {"Idempotency-Key": str(uuid4())}
    first = town.resident.post("tickets", body, headers=key)
    # As a gateway leaves it that dies between the ticket's commit and its own.
    with Session(engine) as session, session.begin():
        newest = session.query(IdempotencyKey).order_by(IdempotencyKey.created_at.desc()).first()
        newest.status, newest.headers, newest.body = None, None, None
        newest.leased_until = now()

    again = town.resident.post("tickets", body, headers=key)

    assert again.status_code == first.status_code
    assert again.headers["Location"] == first.headers["Location"]
    assert again.json()["id"] == first.json()["id"]
    assert "Idempotency-Replayed" not in again.headers


def test_a_key_is_remembered_when_its_answer_no_longer_is(town, engine):
    body, key = request(), {"Idempotency-Key": str(uuid4())}
    first = town.resident.make("tickets", body, headers=key)
    with Session(engine) as session, session.begin():
        session.execute(update(IdempotencyKey).values(created_at=now() - timedelta(hours=25)))
        idempotency.forget_old(session, now())

    assert town.resident.make("tickets", body, headers=key)["id"] == first["id"]


def test_the_first_claim_runs_and_the_second_waits(session, scope):
    claimed = idempotency.claim(session, scope, BODY, now())

    assert isinstance(claimed, Claim)
    with pytest.raises(StillRunning):
        idempotency.claim(session, scope, BODY, now())


def test_a_finished_claim_answers(session, scope):
    idempotency.finish(session, idempotency.claim(session, scope, BODY, now()), ANSWER)

    assert idempotency.claim(session, scope, BODY, now()) == ANSWER


@pytest.mark.parametrize("finished", [True, False])
def test_another_body_is_refused_while_it_runs_and_afterwards(session, scope, finished):
    claimed = idempotency.claim(session, scope, BODY, now())
    if finished:
        idempotency.finish(session, claimed, ANSWER)

    with pytest.raises(KeyReused):
        idempotency.claim(session, scope, OTHER, now() + LEASE)


def test_an_abandoned_claim_is_free_for_any_body(session, scope):
    idempotency.abandon(session, idempotency.claim(session, scope, BODY, now()))

    assert isinstance(idempotency.claim(session, scope, OTHER, now()), Claim)


def test_a_released_claim_is_free_for_the_same_body_only(session, scope):
    idempotency.release(session, idempotency.claim(session, scope, BODY, now()), now())

    with pytest.raises(KeyReused):
        idempotency.claim(session, scope, OTHER, now())
    assert isinstance(idempotency.claim(session, scope, BODY, now()), Claim)


def test_a_claim_whose_holder_died_passes_on_and_the_dead_one_settles_nothing(session, scope):
    dead = idempotency.claim(session, scope, BODY, now())
    heir = idempotency.claim(session, scope, BODY, now() + LEASE)

    idempotency.finish(session, dead, ANSWER)
    idempotency.abandon(session, dead)

    with pytest.raises(StillRunning):
        idempotency.claim(session, scope, BODY, now() + LEASE)
    idempotency.finish(session, heir, ANSWER)
    assert idempotency.claim(session, scope, BODY, now()) == ANSWER


def test_a_day_later_a_key_is_free_again(session, scope):
    idempotency.finish(session, idempotency.claim(session, scope, BODY, now()), ANSWER)

    later = now() + KEPT + timedelta(seconds=1)

    assert isinstance(idempotency.claim(session, scope, OTHER, later), Claim)


def test_of_many_at_once_one_gets_the_claim(engine, scope):
    start = threading.Barrier(10)

    def attempt(_number):
        with Session(engine) as session, session.begin():
            start.wait()
            try:
                return idempotency.claim(session, scope, BODY, now())
            except StillRunning:
                return None

    with ThreadPoolExecutor(10) as threads:
        won = [claimed for claimed in threads.map(attempt, range(10)) if claimed]

    assert len(won) == 1


def test_old_rows_are_dropped_in_portions(engine):
    with Session(engine) as session, session.begin():
        for _ in range(3):
            old = Scope("a", "POST", "/", str(uuid4())).digest()
            idempotency.claim(session, old, BODY, now() - KEPT - timedelta(minutes=1))
        assert idempotency.forget_old(session, now(), limit=2) == 2
        assert idempotency.forget_old(session, now(), limit=200) >= 1
