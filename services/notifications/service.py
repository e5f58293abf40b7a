"""The whole surface of notifications: its RPC methods, the events it consumes, its rounds."""

import random
from typing import Any

from nameko.timer import timer

from chassis import metrics
from chassis.clock import now
from chassis.consumer import on_event
from chassis.context import CurrentCall
from chassis.database import Database
from chassis.events import CloudEvent
from chassis.health import Health
from chassis.ids import new_id
from chassis.rpc import ServiceClient, rpc
from services.notifications import (
    claims,
    codes,
    commands,
    courier,
    deliveries,
    digests,
    forgetting,
    log,
    preferences,
    pruning,
    queries,
    schemas,
    templates,
)
from services.notifications.access import inbox_owner, require_administrator, require_gateway
from services.notifications.news import Channel
from services.notifications.outside import Providers, Settings
from services.notifications.rounds import Waker, in_rounds
from services.notifications.settings import NotificationsSettings
from services.notifications.template_entrypoints import Templates
from services.notifications.texts import Texts
from services.notifications.webhooks.entrypoints import Webhooks


class NotificationsService(Templates, Webhooks):
    """What notifications accepts: news by event, questions about inboxes and codes by RPC;
    templates and webhooks beside it.

    Who is told what is the table in `news`; what becomes of a message is in `outcome`.
    """

    name = "notifications"
    settings_class = NotificationsSettings
    beside = ("services.notifications.webhooks.sender",)

    db = Database()
    call = CurrentCall()
    settings = Settings()
    residents = ServiceClient("residents")
    providers = Providers()
    bell = Waker()
    health = Health()
    texts = Texts()

    @rpc
    def list_inbox(self, query: dict[str, Any]) -> dict[str, Any]:
        """A page of the caller's inbox, newest first. `query`: ListInbox; raises NoInbox."""
        page = schemas.ListInbox().load(query)
        person = inbox_owner(self.call, "inbox.read")
        with self.db.read() as session:
            texts = self.texts.with_custom(templates.custom(session))
            return queries.inbox(session, texts, person, self.call.locale, page)

    @rpc
    def unread_count(self, query: dict[str, Any]) -> dict[str, Any]:
        """`{unread}`: how many items of the caller's inbox are unread; raises NoInbox."""
        schemas.Nothing().load(query)
        person = inbox_owner(self.call, "inbox.read")
        with self.db.read() as session:
            return {"unread": queries.unread_count(session, person)}

    @rpc
    def mark_read(self, command: dict[str, Any]) -> dict[str, Any]:
        """Mark an item of the caller's inbox as read and return it; raises UnknownNotification."""
        wanted = schemas.MarkRead().load(command)
        person = inbox_owner(self.call, "inbox.write")
        with self.db.transaction() as session:
            item = commands.mark_read(session, person, wanted["id"], now())
            texts = self.texts.with_custom(templates.custom(session))
            return queries.inbox_item(session, texts, item, self.call.locale)

    @rpc
    def get_preferences(self, query: dict[str, Any]) -> dict[str, Any]:
        """What the caller hears of, and how; raises NoInbox."""
        schemas.Nothing().load(query)
        person = inbox_owner(self.call, "preferences.read")
        with self.db.read() as session:
            preferred = preferences.read(session, person)
        quiet = self.settings.quiet_hours
        return preferences.answer(preferred, quiet, self.texts, self.call.locale)

    @rpc
    def change_preferences(self, command: dict[str, Any]) -> dict[str, Any]:
        """Change what the caller hears of, and how. `command`: ChangePreferences; raises NoInbox,
        Invalid (unknown_purpose, unknown_channel, cannot_be_turned_off).
        """
        wanted = schemas.ChangePreferences().load(command)
        person = inbox_owner(self.call, "preferences.write")
        quiet = self.settings.quiet_hours
        with self.db.transaction() as session:
            preferred = preferences.change(session, person, wanted, quiet, now())
        return preferences.answer(preferred, quiet, self.texts, self.call.locale)

    @rpc
    def send_code(self, command: dict[str, Any]) -> dict[str, Any]:
        """Send a sign-in code now and forget the number; raises CodeNotSent or CodeRefused."""
        wanted = schemas.SendCode().load(command)
        with self.db.read() as session:
            texts = self.texts.with_custom(templates.custom(session))
        message = codes.write(texts, wanted, self.call.request_id)
        result = codes.send(self.providers[Channel.SMS], message, self.settings.sms_code_timeout)
        with self.db.transaction() as session:
            deliveries.record_code(session, new_id(), result, now())
        codes.require_sent(result)
        return {}

    @rpc
    def deliveries(self, query: dict[str, Any]) -> dict[str, Any]:
        """A page of all deliveries with their attempts. `query`: ListDeliveries."""
        page = schemas.ListDeliveries().load(query)
        require_administrator(self.call)
        with self.db.read() as session:
            return log.deliveries(session, page)

    @rpc
    def held_on(self, query: dict[str, Any]) -> dict[str, Any]:
        """A page of references to what a person was told, for the gateway. `query`: HeldOn."""
        wanted = schemas.HeldOn().load(query)
        require_gateway(self.call)
        with self.db.read() as session:
            return queries.held_on(session, wanted)

    @in_rounds
    def deliver(self) -> int:
        """Take what is due, carry it, and note what came of each; how many it took."""
        settings = self.settings
        with self.db.read() as session:
            due = claims.due(session, now())
        if not any(due):
            return 0
        with self.db.transaction() as session:
            if due.digests:
                digests.gather(session, now(), settings.batch)
            claimed = claims.claim(
                session, now(), settings.batch, settings.lease_time, settings.schedules
            )
            texts = self.texts.with_custom(templates.custom(session) if claimed else {})
        for delivery, result in self._courier(texts).carry_all(claimed, now):
            # One statement, unless another channel may take the message over.
            begin = self.db.transaction if result.otherwise else self.db.statements
            with begin() as session:
                chance = random.random()  # noqa: S311 - it scatters retries, it hides nothing
                deliveries.record(
                    session, delivery, result, settings.schedules, now(), chance=chance
                )
            metrics.DELIVERIES.labels(result.channel or "none", result.reason).inc()
        return len(claimed)

    @timer(interval=600)
    def forget_old(self) -> None:
        """Drop what is old: messages with their attempts, items of inboxes."""
        for step in pruning.steps(self.settings.kept):
            more = True
            while more:
                with self.db.transaction() as session:
                    more = step(session, now()) > 0

    def _courier(self, texts: Texts) -> courier.Courier:
        ask = self.residents(self.call, deadline=self.settings.contact_timeout)
        return courier.Courier(
            contact=lambda person, change: ask.contact({"id": str(person), "change": change}),
            providers=self.providers,
            texts=texts,
            limits=self.settings.limits,
            quiet=self.settings.quiet_hours,
            longest=self.settings.longest_attempt,
        )

    @on_event("linli.tickets.ticket_filed.v1")
    def on_ticket_filed(self, event: CloudEvent) -> None:
        """The reporter gets a receipt with the number."""
        self._tell(event)

    @on_event("linli.tickets.ticket_accepted.v1")
    def on_ticket_accepted(self, event: CloudEvent) -> None:
        """The reporter hears that somebody takes care of it."""
        self._tell(event)

    @on_event("linli.tickets.ticket_refused.v1")
    def on_ticket_refused(self, event: CloudEvent) -> None:
        """The reporter hears that it is not taken up."""
        self._tell(event)

    @on_event("linli.tickets.ticket_assigned.v1")
    def on_ticket_assigned(self, event: CloudEvent) -> None:
        """The reporter hears who has it; so do its new assignee and the one before."""
        self._tell(event)

    @on_event("linli.tickets.ticket_started.v1")
    def on_ticket_started(self, event: CloudEvent) -> None:
        """The reporter hears that work has begun."""
        self._tell(event)

    @on_event("linli.tickets.ticket_sent_back.v1")
    def on_ticket_sent_back(self, event: CloudEvent) -> None:
        """The reporter finds in the inbox that another unit is being sought."""
        self._tell(event)

    @on_event("linli.tickets.ticket_resolved.v1")
    def on_ticket_resolved(self, event: CloudEvent) -> None:
        """The reporter hears that it is done, and is asked whether it is solved."""
        self._tell(event)

    @on_event("linli.tickets.ticket_reopened.v1")
    def on_ticket_reopened(self, event: CloudEvent) -> None:
        """The reporter and the assignee hear that it goes on."""
        self._tell(event)

    @on_event("linli.tickets.ticket_closed.v1")
    def on_ticket_closed(self, event: CloudEvent) -> None:
        """The reporter hears that it is closed, and how to have it opened again."""
        self._tell(event)

    @on_event("linli.tickets.ticket_withdrawn.v1")
    def on_ticket_withdrawn(self, event: CloudEvent) -> None:
        """The reporter gets a receipt; the assignee hears that there is nothing more to do."""
        self._tell(event)

    @on_event("linli.tickets.ticket_commented.v1")
    def on_ticket_commented(self, event: CloudEvent) -> None:
        """The reporter finds in the inbox that there is a reply."""
        self._tell(event)

    @on_event("linli.residents.department_added.v1", "linli.residents.department_changed.v1")
    def on_department_changed(self, event: CloudEvent) -> None:
        """Keep what the department is called."""
        with self.db.transaction(event) as session:
            commands.keep_department(session, event)

    @on_event("linli.residents.resident_phone_changed.v1")
    def on_resident_phone_changed(self, event: CloudEvent) -> None:
        """The number before hears that somebody changed it, and finds it in the inbox."""
        self._tell(event)

    @on_event("linli.residents.resident_erased.v1")
    def on_resident_erased(self, event: CloudEvent) -> None:
        """Empty their inbox, and send nothing more."""
        with self.db.transaction(event) as session:
            forgetting.forget_person(session, event, now())

    def _tell(self, event: CloudEvent) -> None:
        with self.db.transaction(event) as session:
            commands.tell(session, event, self.settings.limits, now())
        self.bell.ring()
