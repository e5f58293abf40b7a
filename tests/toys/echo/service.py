"""A service as small as can be, on which the tests of the chassis run its parts for real."""

import time
from pathlib import Path

import eventlet
from marshmallow import fields
from nameko.extensions import DependencyProvider
from sqlalchemy import text

from chassis import logs
from chassis.call import Call
from chassis.consumer import on_event
from chassis.context import CurrentCall
from chassis.database import Database
from chassis.errors import Conflict, Permanent, Retryable, Unavailable
from chassis.events import EventSchema, Route, emit
from chassis.health import Health
from chassis.rpc import ServiceClient, rpc

log = logs.get("echo")

NOTED = "linli.echo.note_added.v1"


class Taken(Conflict):
    """The note is taken."""

    code = "taken"


class NoteAdded(EventSchema):
    """A note was added."""

    type = NOTED
    source = "/echo"
    number = fields.Integer(required=True)


class ContextData(DependencyProvider):
    """The names of what nameko calls the context of a worker."""

    def get_dependency(self, worker_ctx):
        return sorted(worker_ctx.data)


class EchoService:
    name = "echo"
    emits = True
    db = Database()
    call = CurrentCall()
    context_data = ContextData()
    health = Health()
    itself = ServiceClient("echo")

    @rpc
    def echo(self, value):
        return {"value": value, "actor": self.call.actor.id, "trace": self.call.traceparent}

    @rpc
    def add(self, subject, number):
        with self.db.transaction() as session:
            session.execute(text("INSERT INTO notes VALUES (:s, :n)"), {"s": subject, "n": number})
            add_event(session, self.call, subject, number)

    @rpc
    def refuse(self):
        raise Taken(by="another", from_="free")

    @rpc
    def fail(self):
        raise RuntimeError("a secret: 13800001234")

    @rpc
    def lose_patience(self):
        """As a library does whose own time limit is not caught: eventlet's is no Exception."""
        raise eventlet.Timeout

    @rpc
    def sleep(self, seconds):
        log.info("at_hand")
        eventlet.sleep(seconds)
        return seconds

    @rpc
    def hang(self, seconds):
        """As code does that never lets the event loop run."""
        log.info("at_hand")
        eventlet.patcher.original("time").sleep(seconds)

    @rpc
    def context(self):
        """All that came with the call, as a dependency sees it."""
        return self.context_data

    @rpc
    def ask_itself(self, method, args, deadline):
        return getattr(self.itself(self.call, deadline=deadline), method)(*args)

    @rpc
    def ask_itself_once(self, path, deadline):
        """As soon as there is such a file."""
        log.info("at_hand")
        while not Path(path).exists():
            eventlet.sleep(0.05)
        started = time.monotonic()
        try:
            self.itself(self.call, deadline=deadline).echo(1)
        except Unavailable as error:
            took = round(time.monotonic() - started, 1)
            log.info("asked_in_vain", seconds=took, reason=error.params["reason"])

    @rpc
    def ask_nobody(self):
        with_nobody = self.itself(self.call)
        with_nobody._service = "nobody"
        return with_nobody.anything()

    @on_event(NOTED)
    def on_note_added(self, event):
        number = event.data["number"]
        with self.db.transaction(event) as session:
            session.execute(
                text("INSERT INTO effects VALUES (:s, :n)"), {"s": event.subject, "n": number}
            )
            if number == -1:
                raise Permanent("It can never be.", reason="never")
            if number == -2:
                raise Retryable("Not yet.")
            if number == -3:
                raise KeyError("a mistake of ours")
            if number == -4:
                raise eventlet.Timeout
            if number == -5:
                log.info("at_hand")
                eventlet.sleep(2)


class HelpedEchoService(EchoService):
    """The toy, with a process beside it."""

    beside = ("tests.toys.echo.helper",)


def add_event(session, call: Call, subject: str, number: int, addressee: str = "water") -> None:
    """Emit NoteAdded; what `also` names shows in the CC header."""
    emit(
        session,
        call,
        NoteAdded,
        subject=subject,
        sequence=number if number > 0 else 1,
        route=Route(addressee, "340603.008", also=("roads",)),
        data={"number": number},
    )
