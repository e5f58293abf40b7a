"""What follows from an attempt."""

from datetime import UTC, datetime, timedelta

import pytest

from services.notifications.outcome import (
    KINDS,
    Kind,
    Reason,
    Result,
    Schedules,
    State,
    Tally,
    judge,
)
from services.notifications.schedule import Schedule

NOON = datetime(2026, 11, 1, 12, tzinfo=UTC)
SCHEDULES = Schedules(
    provider=Schedule((5.0, 30.0)),
    waiting=Schedule((2.0, 60.0), endless=True),
    lost=Schedule((1.0, 1.0)),
)


def after(reason: Reason, tally: Tally = Tally(), **result: float):  # noqa: B008 - it is frozen
    return judge(Result(reason, **result), tally, SCHEDULES, NOON, chance=0.5)


def of_kind(kind: Kind) -> list[Reason]:
    return [reason for reason in Reason if KINDS[reason] is kind]


def test_every_reason_has_a_kind():
    assert set(KINDS) == set(Reason)


def test_a_delivered_message_is_done_with():
    verdict = after(Reason.DELIVERED)
    assert (verdict.state, verdict.next_attempt_at) == (State.DELIVERED, None)


@pytest.mark.parametrize("reason", of_kind(Kind.PROVIDER))
def test_trouble_of_the_provider_is_tried_again_on_its_schedule(reason):
    verdict = after(reason)
    assert verdict.state is State.QUEUED
    assert verdict.next_attempt_at == NOON + timedelta(seconds=5)
    assert verdict.tally == Tally(provider=1)


def test_a_provider_that_fails_to_the_end_of_its_schedule_is_given_up():
    verdict = after(Reason.PROVIDER_TIMEOUT, Tally(provider=2))
    assert (verdict.state, verdict.next_attempt_at) == (State.FAILED, None)


@pytest.mark.parametrize("reason", of_kind(Kind.WAITING))
def test_a_message_waits_for_residents_without_end(reason):
    verdict = after(reason, Tally(waiting=500))
    assert verdict.state is State.QUEUED
    assert verdict.next_attempt_at == NOON + timedelta(seconds=60)


def test_waiting_for_residents_uses_up_nothing_of_the_providers_schedule():
    verdict = after(Reason.RESIDENTS_UNAVAILABLE, Tally(provider=1))
    assert verdict.tally == Tally(provider=1, waiting=1)


@pytest.mark.parametrize("reason", of_kind(Kind.PERMANENT))
def test_what_cannot_get_better_fails_at_once(reason):
    assert after(reason).state is State.FAILED


@pytest.mark.parametrize("reason", of_kind(Kind.SKIP))
def test_stale_news_is_skipped(reason):
    assert after(reason).state is State.SKIPPED


def test_the_claim_of_a_lost_worker_is_due_again():
    verdict = after(Reason.WORKER_LOST)
    assert (verdict.state, verdict.tally) == (State.QUEUED, Tally(lost=1))


def test_a_message_that_kills_every_worker_is_given_up_at_last():
    assert after(Reason.WORKER_LOST, Tally(lost=2)).state is State.FAILED


def test_a_providers_retry_after_is_heeded():
    verdict = after(Reason.PROVIDER_BUSY, retry_after=120)
    assert verdict.next_attempt_at == NOON + timedelta(seconds=120)
