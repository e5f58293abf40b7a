"""What the reader of a stream may see, which may change while it is read."""

import random
import time
from dataclasses import replace
from typing import TYPE_CHECKING

from marshmallow import ValidationError
from sqlalchemy.exc import SQLAlchemyError

from chassis import clock, events
from chassis.call import Call
from chassis.errors import Permanent
from services.gateway import duties
from services.gateway.authentication import TokenInvalid, identify
from services.gateway.feed import Item
from services.gateway.feed_rules import Filters, Selection

if TYPE_CHECKING:
    from services.gateway.hub import EventHub

# Seconds, at least and at most, for which nothing is asked anew without a reason: sessions end,
# keys are revoked and days pass without an event. Not all readers ask at the same time.
_FRESH = 3.0, 5.0


class Revoked(Exception):
    """The reader may read no more, or it cannot be told whether they may."""


class Rights:
    """One reader's rights. Asked for anew when an event says that their duties changed, and when
    something is about to be told on rights that are seconds old.
    """

    def __init__(self, hub: "EventHub", call: Call, token: str, filters: Filters) -> None:
        self._hub, self._call, self._token, self._filters = hub, call, token, filters
        self._heard: list[str] = []
        self._fresh_until = _later()
        self.selection = Selection.of(call, filters)

    def hear(self, item: Item) -> None:
        """Be told what the stream holds, before anybody is told what comes after it."""
        facts = item.facts
        if facts is None or item.body is None or facts.type not in duties.TYPES:
            return
        if self._call.actor.id in facts.owners:
            self._heard.append(item.body)

    def renew(self, *, telling: bool) -> bool:
        """Whether they were asked for anew, for there was reason to: news of them, or they are old
        and there is something to tell. Raises Revoked.
        """
        old = time.monotonic() > self._fresh_until
        if not self._heard and not (old and telling):
            return False
        heard, self._heard = self._heard, []
        self._fresh_until = _later()
        try:
            self._ask(heard)
        except TokenInvalid:
            raise Revoked from None
        except SQLAlchemyError:
            # Without its database the gateway goes on telling what is new, but to nobody whose
            # duties have just changed.
            if heard:
                raise Revoked from None
        return True

    def _ask(self, heard: list[str]) -> None:
        with self._hub.session() as session:
            for body in heard:
                # The stream may be ahead of the queue that duties are kept from.
                try:
                    duties.keep_duty(session, events.parse(body))
                except (Permanent, ValidationError):
                    continue  # Its dead letter is enough.
            caller = identify(session, self._token, clock.now())
        self.selection = Selection.of(replace(self._call, grants=caller.grants), self._filters)


def _later() -> float:
    return time.monotonic() + random.uniform(*_FRESH)  # noqa: S311 - no secret
