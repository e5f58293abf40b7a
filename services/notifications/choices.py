"""What people may choose to hear of, and how: by purpose and channel. Pure.

Everything that the table of news offers is on until somebody turns it off; only what differs from
that is kept. What cannot be turned off is said here, with the reason.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from services.notifications.news import DIGEST, DIGEST_CHANNELS, Channel, offered
from services.notifications.quiet import Digest, Quiet

INBOX = "inbox"
SIGN_IN_CODE = "sign_in_code"

# By purpose and channel: what differs from the default.
Choices = Mapping[str, Mapping[str, bool]]


@dataclass(frozen=True)
class Fixed:
    """What cannot be turned off, of one purpose or of all, and why, as a code."""

    channel: str
    purpose: str | None
    reason: str


FIXED: tuple[Fixed, ...] = (
    Fixed(INBOX, None, "record"),
    Fixed(Channel.SMS, SIGN_IN_CODE, "one_time_code"),
    Fixed(Channel.SMS, "phone_changed", "new_number"),
)


def all_channels() -> dict[str, dict[str, bool]]:
    """Every purpose with every channel that it is offered by, all on."""
    ours = {purpose: (INBOX, *channels) for purpose, channels in offered().items()}
    every = {**ours, DIGEST: DIGEST_CHANNELS, SIGN_IN_CODE: (Channel.SMS,)}
    return {purpose: {str(name): True for name in every[purpose]} for purpose in sorted(every)}


def effective(choices: Choices) -> dict[str, dict[str, bool]]:
    """What holds: everything that is offered, with this person's choices."""
    return {
        purpose: {channel: choices.get(purpose, {}).get(channel, on) for channel, on in by.items()}
        for purpose, by in all_channels().items()
    }


def changed(choices: Choices, change: Choices) -> dict[str, dict[str, bool]]:
    """The choices after a change, without what is as it would be anyway."""
    merged = {
        purpose: {**choices.get(purpose, {}), **change.get(purpose, {})}
        for purpose in {*choices, *change}
    }
    off = {
        purpose: dict.fromkeys((channel for channel, on in by.items() if not on), False)
        for purpose, by in merged.items()
    }
    return {purpose: by for purpose, by in off.items() if by}


def faults(change: Choices) -> Iterator[tuple[str, str]]:
    """What a change may not say: pointer and code of each fault."""
    known = all_channels()
    for purpose, by in change.items():
        if purpose not in known:
            yield f"/purposes/{_escaped(purpose)}", "unknown_purpose"
            continue
        for channel, on in by.items():
            if channel not in known[purpose]:
                yield f"/purposes/{purpose}/{_escaped(channel)}", "unknown_channel"
            elif not on and is_fixed(purpose, channel):
                yield f"/purposes/{purpose}/{channel}", "cannot_be_turned_off"


def is_fixed(purpose: str, channel: str) -> bool:
    """Whether nobody can turn this off."""
    return any(fixed.channel == channel and fixed.purpose in (None, purpose) for fixed in FIXED)


def wanted(channels: Sequence[Channel], purpose: str, choices: Choices) -> tuple[Channel, ...]:
    """Of the channels that may carry something, those that this person has not turned off."""
    off = choices.get(purpose, {})
    return tuple(channel for channel in channels if off.get(channel, True))


@dataclass(frozen=True)
class Preferred:
    """What one person prefers; of somebody who has never said anything, `said` is false."""

    choices: Choices = field(default_factory=dict)
    quiet: Quiet | None = None
    digest: Digest = Digest.OFF
    said: bool = False

    def quiet_hours(self, default: Quiet | None) -> Quiet | None:
        """Their quiet hours, if any."""
        return self.quiet if self.said else default

    def wants(self, channels: Sequence[Channel], purpose: str) -> tuple[Channel, ...]:
        """Of these channels, those that may carry this."""
        return wanted(channels, purpose, self.choices)


def _escaped(name: str) -> str:
    return name.replace("~", "~0").replace("/", "~1")
