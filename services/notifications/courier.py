"""One delivery on its way, in three stages with a type each: Claimed → Message → Result.

Here is all the network and no transaction. Claiming and recording are in `deliveries`, what a
result means in `outcome`.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from eventlet.greenpool import GreenPool
from eventlet.timeout import Timeout

from chassis import trace
from chassis.errors import NotFound, ServiceError, Unavailable
from services.notifications.choices import Preferred
from services.notifications.news import DIGEST, Channel
from services.notifications.outcome import Reason, Result, Tally
from services.notifications.providers import Message, Provider
from services.notifications.quiet import Quiet, quiet_until
from services.notifications.spans import outgoing, tell
from services.notifications.staleness import Limits, stale_when_sending
from services.notifications.texts import CannotRender, Texts

# How many calls of one round run at a time: a slow provider must not make the quick ones wait.
AT_ONCE = 8
# The channels that reach a person, in order, and their contact.
_Ways = tuple[list[Channel], dict[str, Any]]
# What of a person's contact a channel needs.
ADDRESSES: Mapping[Channel, str] = {Channel.SMS: "phone", Channel.EMAIL: "email"}


@dataclass(frozen=True)
class Claimed:
    """A delivery that this worker has for the length of its lease; `claim` proves that it has.

    `variables` are those of its templates; of a digest they are its `count` and `news`.
    """

    id: UUID
    claim: int
    notification: UUID | None
    purpose: str
    person: UUID | None
    channels: tuple[Channel, ...]
    urgent: bool
    preferred: Preferred
    variables: dict[str, Any]
    sequence: int
    latest: int
    happened_at: datetime
    queued_at: datetime
    tally: Tally
    traceparent: str | None = None


@dataclass(frozen=True)
class Courier:
    """Carries claimed deliveries. `contact` gives `{phone, email, locale}` of a person by id; of a
    change of their number, by its id, the `phone` before and `changed_to`, masked.
    """

    contact: Callable[[UUID | None, str | None], dict[str, Any]]
    providers: Mapping[Channel, Provider]
    texts: Texts
    limits: Limits
    # Of who has said nothing else.
    quiet: Quiet | None
    # Seconds after which an attempt is over, whatever the provider drips.
    longest: float

    def carry_all(
        self, claimed: Sequence[Claimed], now: Callable[[], datetime]
    ) -> Iterator[tuple[Claimed, Result]]:
        """Carry several at a time, and give each with its result, in the order they were given."""
        results = GreenPool(AT_ONCE).imap(lambda delivery: self.carry(delivery, now()), claimed)
        return zip(claimed, results, strict=True)

    def carry(self, delivery: Claimed, at: datetime) -> Result:
        """Try one delivery and say how it went."""
        told = {"linli.purpose": delivery.purpose, "linli.delivery": str(delivery.id)}
        span = trace.span("deliver", trace.INTERNAL, delivery.traceparent, told)
        with span, trace.within(span.traceparent):
            result = self._carry(delivery, at)
            span.tell({"linli.reason": result.reason, "linli.channel": result.channel or "none"})
        return result

    def _carry(self, delivery: Claimed, at: datetime) -> Result:
        ways = self._find_ways(delivery, at)
        if isinstance(ways, Result):
            return ways
        (channel, *others), contact = ways
        result = self._send(delivery, channel, contact)
        otherwise = () if result.reason is Reason.DELIVERED else tuple(others)
        return replace(result, channel=channel, otherwise=otherwise)

    def _find_ways(self, delivery: Claimed, at: datetime) -> _Ways | Result:
        channels = delivery.preferred.wants(delivery.channels, delivery.purpose)
        if spared := _spared(delivery, channels, at, self.limits):
            return Result(spared)
        contact = self._look_up(delivery)
        if isinstance(contact, Result):
            return contact
        ways = self._within_reach(channels, contact)
        if not ways:
            return Result(Reason.NO_PHONE if Channel.SMS in channels else Reason.NO_EMAIL)
        if until := self._quiet_until(delivery, ways[0], at):
            wait = (until - at).total_seconds()
            return Result(Reason.QUIET_HOURS, retry_after=wait, channel=ways[0])
        return ways, contact

    def _within_reach(
        self, channels: Sequence[Channel], contact: Mapping[str, Any]
    ) -> list[Channel]:
        """The channels that reach this person. The first carries the message; the next is for when
        that has failed for good.
        """
        return [
            channel
            for channel in channels
            if channel in self.providers and contact.get(ADDRESSES[channel])
        ]

    def _look_up(self, delivery: Claimed) -> dict[str, Any] | Result:
        try:
            return self.contact(delivery.person, delivery.variables.get("change"))
        except NotFound:
            return Result(Reason.UNKNOWN_PERSON)
        except Unavailable:
            return Result(Reason.RESIDENTS_UNAVAILABLE)
        except ServiceError:
            return Result(Reason.RESIDENTS_REFUSED)

    def _quiet_until(self, delivery: Claimed, channel: Channel, at: datetime) -> datetime | None:
        """Until when a telephone must not ring for this; mail makes no noise."""
        if channel is not Channel.SMS or delivery.urgent:
            return None
        return quiet_until(delivery.preferred.quiet_hours(self.quiet), at)

    def _send(self, delivery: Claimed, channel: Channel, contact: Mapping[str, Any]) -> Result:
        locale = contact.get("locale")
        write = self.texts.sms if channel is Channel.SMS else self.texts.mail
        try:
            variables = self._variables(delivery, contact)
            written = write(delivery.purpose, locale, variables)
        except CannotRender:
            return Result(Reason.UNRENDERABLE)
        message = Message(str(delivery.id), contact[ADDRESSES[channel]], **written)
        with outgoing(channel) as span:
            result = self._call(self.providers[channel], message)
            tell(span, result.reason, result.status)
        return result

    def _variables(self, delivery: Claimed, contact: Mapping[str, Any]) -> dict[str, Any]:
        # Departments have no name here: a message says number, state and next step, no more.
        if delivery.purpose != DIGEST:
            phone = contact.get("changed_to")
            return {**delivery.variables, "department": None, "phone": phone}
        count, news = delivery.variables["count"], delivery.variables["news"]
        items = [self._line(each, contact.get("locale")) for each in news]
        return {"count": count, "items": items, "more": count - len(items)}

    def _line(self, news: Mapping[str, Any], locale: str | None) -> str:
        about = news["about"]
        variables = {"number": about, "host": about, "department": None}
        title = self.texts.part(news["purpose"], "inbox", "title", locale, variables)
        return f"{title} {about}"

    def _call(self, provider: Provider, message: Message) -> Result:
        with Timeout(self.longest) as limit:
            try:
                return provider.send(message)
            except Timeout as timeout:
                if timeout is not limit:
                    raise
                return Result(Reason.PROVIDER_TIMEOUT, seconds=self.longest)


def _spared(
    delivery: Claimed, channels: Sequence[Channel], at: datetime, limits: Limits
) -> Reason | None:
    """Why this is not sent, or None."""
    stale = stale_when_sending(
        delivery.sequence,
        delivery.latest,
        happened=at - delivery.happened_at,
        queued=at - delivery.queued_at,
        limits=limits,
    )
    return stale or (None if channels else Reason.TURNED_OFF)
