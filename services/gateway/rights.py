"""What the readers of streams may see, which may change while they read."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING
from weakref import WeakSet

import eventlet
from eventlet.event import Event
from marshmallow import ValidationError
from sqlalchemy.exc import SQLAlchemyError

from chassis import clock, events, logs
from chassis.call import Call
from chassis.errors import Permanent
from services.gateway import duties
from services.gateway.authentication import Caller, identify_several
from services.gateway.feed import Item
from services.gateway.feed_rules import Filters, Selection

if TYPE_CHECKING:
    from services.gateway.hub import EventHub

log = logs.get("rights")

# Seconds: how old rights may be when something is told on them, for sessions end, keys are revoked
# and days pass without an event; from what age on they are asked for anew, and how often one looks
# for such; how long something that is to be told waits for them.
_PROMISED, _YOUNG, _LOOK, _PATIENCE = 5.0, 2.0, 0.5, 10.0
# How many are asked for at once: what comes of them keeps everybody else waiting for milliseconds.
_AT_ONCE = 100


class Revoked(Exception):
    """The reader may read no more, or it cannot be told whether they may."""


class Rights:
    """One reader's rights. Asked for anew by themselves when an event says that their duties
    changed, and with everybody's every few seconds.
    """

    def __init__(self, readers: "Readers", call: Call, token: str, filters: Filters) -> None:
        self.token, self.asked = token, time.monotonic()
        self._readers, self._call, self._filters = readers, call, filters
        self._heard: list[str] = []
        self._revoked = False
        self.selection = Selection.of(call, filters)

    def hear(self, item: Item) -> None:
        """Be told of a duty, before anybody is told what comes after it."""
        if item.facts and item.body and self._call.actor.id in item.facts.owners:
            self._heard.append(item.body)

    def renew(self, *, telling: bool) -> bool:
        """Whether they may have changed meanwhile, for there was reason to ask: news of them, or
        they are old and there is something to tell. Raises Revoked.
        """
        if self._heard:
            heard, self._heard = self._heard, []
            self._readers.keep(heard, self)
        elif telling and time.monotonic() - self.asked > _PROMISED:
            self._readers.wait(self)
        elif not self._revoked:
            return False
        if self._revoked:
            raise Revoked
        return True

    def take(self, caller: Caller | None, asked: float) -> None:
        """Be told who the reader is, None for nobody any more, as of the moment it was asked."""
        self.asked, self._revoked = asked, caller is None
        if caller is not None and caller.grants != self._call.grants:
            self._call = replace(self._call, grants=caller.grants)
            self.selection = Selection.of(self._call, self._filters)


class Readers:
    """The rights of all who read streams here; those of streams that nobody reads just go."""

    def __init__(self, hub: "EventHub") -> None:
        self._hub = hub
        self._all: WeakSet[Rights] = WeakSet()
        self._asked = Event()

    def __len__(self) -> int:
        return len(self._all)

    def admit(self, call: Call, token: str, filters: Filters) -> Rights:
        """The rights of one more reader, who has just shown them."""
        rights = Rights(self, call, token, filters)
        self._all.add(rights)
        return rights

    def hear(self, item: Item) -> None:
        """Be told what the stream holds, before anybody is told what comes after it."""
        if item.facts and item.facts.type in duties.TYPES:
            for rights in list(self._all):
                rights.hear(item)

    def keep(self, heard: Sequence[str], rights: Rights) -> None:
        """Keep the duties that were heard of, for the stream may be ahead of the queue that they
        are kept from, and ask for the rights of whom they are. Raises Revoked when that cannot be.
        """
        asked = time.monotonic()
        try:
            found = self._ask([rights], heard)
        except SQLAlchemyError:
            raise Revoked from None
        rights.take(found.get(rights.token), asked)

    def wait(self, rights: Rights) -> None:
        """Wait until rights that have become too old were asked for; raises Revoked if they are
        not.
        """
        before, give_up = rights.asked, time.monotonic() + _PATIENCE
        while rights.asked == before:
            if (left := give_up - time.monotonic()) <= 0:
                raise Revoked
            self._asked.wait(timeout=left)

    def run(self) -> None:
        """Ask for all rights anew before they are too old to tell anything on. Never raises."""
        while True:
            eventlet.sleep(_LOOK)
            aged = [each for each in self._all if time.monotonic() - each.asked > _YOUNG]
            try:
                for first in range(0, len(aged), _AT_ONCE):
                    self._renew(aged[first : first + _AT_ONCE])
            except SQLAlchemyError:
                # Without its database the gateway goes on telling what is new.
                for rights in aged:
                    rights.asked = time.monotonic()
            except Exception:
                log.exception("rights_not_renewed")
            if aged:
                done, self._asked = self._asked, Event()
                done.send()

    def _renew(self, some: Sequence[Rights]) -> None:
        asked, before = time.monotonic(), [rights.asked for rights in some]
        found = self._ask(some)
        for rights, then in zip(some, before, strict=True):
            # What was heard of their duties meanwhile may be newer than what was read here.
            if rights.asked == then:
                rights.take(found.get(rights.token), asked)
        if len(found) < len({rights.token for rights in some}):
            self._hub.nudge()  # Somebody's stream is over, though there be nothing to tell.

    def _ask(self, some: Sequence[Rights], heard: Sequence[str] = ()) -> Mapping[str, Caller]:
        with self._hub.session() as session:
            for body in heard:
                try:
                    duties.keep_duty(session, events.parse(body))
                except (Permanent, ValidationError):
                    continue  # Its dead letter is enough.
            return identify_several(session, {rights.token for rights in some}, clock.now())
