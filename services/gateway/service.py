"""The whole surface of the gateway: its operations by capability, each in its module under api/,
and the events it consumes.

Every request passes through `exchange.serve`, as its declaration with `@operation` says.
"""

from nameko.timer import timer

from chassis.clock import now
from chassis.consumer import on_event
from chassis.database import Database
from chassis.events import CloudEvent
from chassis.health import Health
from chassis.http import WebOptions
from chassis.rpc import ServiceClient
from services.gateway import codes, duties, erasure, idempotency, passwords, sessions
from services.gateway.api.accounts import Accounts
from services.gateway.api.api_keys import ApiKeys
from services.gateway.api.areas import Areas
from services.gateway.api.audit import Audit
from services.gateway.api.care_tags import CareTags
from services.gateway.api.categories import Categories
from services.gateway.api.comments import Comments
from services.gateway.api.departments import Departments
from services.gateway.api.docs import Docs
from services.gateway.api.duties import Duties
from services.gateway.api.events import Events
from services.gateway.api.figures import Figures
from services.gateway.api.households import Households
from services.gateway.api.imports import Imports
from services.gateway.api.inbox import Inbox
from services.gateway.api.ledger import Ledger
from services.gateway.api.members import Members
from services.gateway.api.moves import Moves
from services.gateway.api.personal import PersonalData
from services.gateway.api.preferences import Preferences
from services.gateway.api.residents import Residents
from services.gateway.api.sessions import Sessions
from services.gateway.api.templates import Templates
from services.gateway.api.tickets import Tickets
from services.gateway.api.webhooks import Webhooks
from services.gateway.gate import Gate
from services.gateway.hub import EventHub
from services.gateway.open311.resources import Open311
from services.gateway.settings import GatewaySettings
from services.gateway.texts import TEXTS


class GatewayService(
    Sessions,  # sessions/codes, sessions, sessions/current
    Accounts,  # accounts
    ApiKeys,  # api-keys
    Areas,  # areas, areas/{code}, areas/{code}/children
    Imports,  # {areas, residents, households}/imports, …/{id}, …/{id}/errors
    Residents,  # residents, residents/{id}, residents/searches
    PersonalData,  # residents/{id}/consents, …/export
    Audit,  # audit, residents/{id}/audit
    Households,  # households, households/{id}, …/closure, households/coverage
    CareTags,  # care-tags, residents/{id}/care-tags
    Members,  # households/{id}/members, …/departure, residents/{id}/households
    Duties,  # duties
    Departments,  # departments
    Categories,  # categories
    Tickets,  # tickets, tickets/{id}, …/history, …/suggestion
    Moves,  # tickets/{id}/acceptance, refusal, assignment, work, send-back, resolution, …
    Comments,  # tickets/{id}/comments
    Figures,  # rates, tickets/{id}/exclusion
    Ledger,  # ledger
    Inbox,  # inbox, deliveries
    Preferences,  # preferences
    Templates,  # templates/{purpose}/{channel}/{locale}, …/preview
    Webhooks,  # webhooks, …/secrets, …/test, …/deliveries, …/replays
    Events,  # events, events/stream
    Open311,  # /open311/v2
    Docs,  # /api/openapi.json, /api/docs, /problems/{code}
):
    """What the gateway accepts: HTTP for clients, duties by event."""

    name = "gateway"
    settings_class = GatewaySettings

    db = Database()
    gate = Gate()
    events = EventHub()
    health = Health()
    tickets = ServiceClient("tickets")
    residents = ServiceClient("residents")
    notifications = ServiceClient("notifications")

    @staticmethod
    def web_options(settings: GatewaySettings) -> WebOptions:
        """How chassis.http serves it."""
        return WebOptions.of(settings, texts=TEXTS)

    @on_event(*duties.TYPES)
    def on_duty_changed(self, event: CloudEvent) -> None:
        """Keep who has which duty: roles must be known while the registry is away."""
        with self.db.transaction(event) as session:
            duties.keep_duty(session, event)

    @on_event("linli.residents.resident_phone_withdrawn.v1")
    def on_resident_phone_withdrawn(self, event: CloudEvent) -> None:
        """End what was opened with the number that is theirs no more."""
        with self.db.transaction(event) as session:
            erasure.end_by_phone(session, event)

    @on_event("linli.residents.resident_erased.v1")
    def on_resident_erased(self, event: CloudEvent) -> None:
        """End their sessions and keys."""
        with self.db.transaction(event) as session:
            erasure.forget_person(session, event)

    @timer(interval=600)
    def forget_old(self) -> None:
        """Drop what has run out: answers of yesterday, codes, sessions, wrong passwords."""
        with self.db.transaction() as session:
            for module in (codes, sessions, passwords):
                module.forget_old(session, now())
        more = True
        while more:
            with self.db.transaction() as session:
                more = idempotency.forget_old(session, now()) > 0
