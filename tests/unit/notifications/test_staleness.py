"""When a message is no longer worth sending."""

from datetime import timedelta

from services.notifications.outcome import Reason
from services.notifications.staleness import Limits, stale_on_arrival, stale_when_sending

LIMITS = Limits(fresh_for=timedelta(minutes=1), expires_after=timedelta(days=3))
NOW, SECONDS, HOUR, WEEK = (
    timedelta(0),
    timedelta(seconds=5),
    timedelta(hours=1),
    timedelta(weeks=1),
)


def test_the_latest_step_is_sent():
    assert stale_on_arrival(7, 7, NOW, LIMITS) is None


def test_a_step_that_arrives_after_a_later_one_is_superseded():
    assert stale_on_arrival(6, 7, NOW, LIMITS) is Reason.SUPERSEDED


def test_an_import_of_old_tickets_sends_nothing():
    assert stale_on_arrival(7, 7, WEEK, LIMITS) is Reason.EXPIRED


def test_a_message_on_time_is_sent_although_the_next_step_followed_at_its_heels():
    assert stale_when_sending(6, 7, happened=SECONDS, queued=SECONDS, limits=LIMITS) is None


def test_a_message_that_was_held_up_gives_way_to_the_later_step():
    stale = stale_when_sending(6, 7, happened=HOUR, queued=HOUR, limits=LIMITS)
    assert stale is Reason.SUPERSEDED


def test_a_message_that_was_held_up_is_sent_when_nothing_followed():
    assert stale_when_sending(7, 7, happened=HOUR, queued=HOUR, limits=LIMITS) is None


def test_a_message_that_was_held_up_for_days_is_not_sent():
    stale = stale_when_sending(7, 7, happened=WEEK, queued=WEEK, limits=LIMITS)
    assert stale is Reason.EXPIRED


def test_what_was_written_down_an_hour_late_is_on_time_when_it_is_queued_now():
    assert stale_when_sending(6, 7, happened=HOUR, queued=SECONDS, limits=LIMITS) is None
