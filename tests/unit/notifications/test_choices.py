"""What people may choose, and what holds when they have chosen."""

from hypothesis import given
from hypothesis import strategies as st

from services.notifications.choices import (
    FIXED,
    INBOX,
    SIGN_IN_CODE,
    Preferred,
    all_channels,
    changed,
    effective,
    faults,
    is_fixed,
)
from services.notifications.news import Channel, offered
from services.notifications.texts import LOCALES, Texts

OFFERED = all_channels()
PAIRS = [(purpose, channel) for purpose, by in OFFERED.items() for channel in by]
CHANGES = st.dictionaries(
    st.sampled_from(sorted(OFFERED)),
    st.dictionaries(st.sampled_from([INBOX, *map(str, Channel)]), st.booleans()),
)


def allowed(change):
    return not list(faults(change))


def test_everything_is_on_until_somebody_turns_it_off():
    assert all(on for by in effective({}).values() for on in by.values())
    assert set(effective({})) == set(offered()) | {SIGN_IN_CODE, "digest"}


def test_what_is_turned_off_is_off_and_nothing_else():
    chosen = changed({}, {"ticket_accepted": {"sms": False}})
    off = [
        (purpose, channel)
        for purpose, by in effective(chosen).items()
        for channel, on in by.items()
        if not on
    ]
    assert off == [("ticket_accepted", "sms")]


@given(CHANGES, CHANGES)
def test_the_last_word_on_each_channel_holds(first, second):
    held = effective(changed(changed({}, first), second))
    for change in (first, second):
        for purpose, by in change.items():
            for channel in by.keys() & OFFERED[purpose].keys():
                said = second.get(purpose, {}).get(channel, by[channel])
                assert held[purpose][channel] == said


@given(CHANGES)
def test_what_is_as_it_would_be_anyway_is_not_kept(change):
    kept = changed({}, change)
    assert not [on for by in kept.values() for on in by.values() if on]
    assert changed(kept, {p: dict.fromkeys(by, True) for p, by in kept.items()}) == {}


def test_codes_and_the_inbox_cannot_be_turned_off_and_can_be_left_on():
    for purpose, by in OFFERED.items():
        for channel in by:
            fixed = channel == INBOX or purpose in (SIGN_IN_CODE, "phone_changed")
            assert is_fixed(purpose, channel) == fixed
            assert allowed({purpose: {channel: True}})
            assert allowed({purpose: {channel: False}}) != fixed


def test_what_is_not_offered_is_pointed_at():
    change = {"weather/now": {"sms": True}, "task_assigned": {"sms": False, "fax": True}}
    assert list(faults(change)) == [
        ("/purposes/weather~1now", "unknown_purpose"),
        ("/purposes/task_assigned/sms", "unknown_channel"),
        ("/purposes/task_assigned/fax", "unknown_channel"),
    ]


def test_why_something_is_fixed_is_said_in_every_language():
    for fixed in FIXED:
        said = {Texts().explain(f"fixed.{fixed.reason}", locale) for locale in LOCALES}
        assert len(said) == len(LOCALES)


def test_a_message_goes_by_what_was_left_on():
    preferred = Preferred({"ticket_filed": {"email": False}})
    both = (Channel.EMAIL, Channel.SMS)
    assert preferred.wants(both, "ticket_filed") == (Channel.SMS,)
    assert preferred.wants(both, "ticket_closed") == both
