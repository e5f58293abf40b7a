"""The service's round, step by step, at whatever time a test says, and what residents would say."""

from dataclasses import replace
from datetime import timedelta

from sqlalchemy import select

from chassis.clock import now
from chassis.errors import NotFound
from services.notifications import claims, commands, deliveries, digests, preferences, schemas
from services.notifications.courier import Courier
from services.notifications.models import Attempt, Delivery, Notification
from services.notifications.texts import Texts
from tests.integration.notifications.world import a_phone

LEASE = timedelta(seconds=30)


class Neighbour:
    """What residents would say; `error` is raised instead while it is set."""

    def __init__(self):
        self.contacts = {}
        self.error = None

    def knows(self, person, **contact):
        self.contacts[person] = {"phone": a_phone(), "locale": "zh-CN", **contact}
        return self.contacts[person]["phone"]

    def contact(self, person, change=None):
        if self.error:
            raise self.error
        if person not in self.contacts:
            raise NotFound
        return self.contacts[change or person]


class Office:
    """The service's round, step by step, at whatever time the test says."""

    def __init__(self, session, providers, schedules, limits):
        self.session, self.schedules, self.limits = session, schedules, limits
        self.residents = Neighbour()
        # No quiet hours, for tests are run at night, too.
        self.courier = Courier(
            self.residents.contact, providers, Texts(), limits, quiet=None, longest=5
        )

    def edited(self, custom):
        self.courier = replace(self.courier, texts=Texts(custom=custom))

    def prefer(self, person, at=None, **wanted):
        change = schemas.ChangePreferences().load(wanted)
        preferences.change(self.session, person, change, None, at or now())
        self.session.commit()

    def hear(self, event, at=None):
        commands.tell(self.session, event, self.limits, at or now())
        self.session.commit()

    def claim(self, at=None, limit=10):
        digests.gather(self.session, at or now(), limit)
        claimed = claims.claim(self.session, at or now(), limit, LEASE, self.schedules)
        self.session.commit()
        return claimed

    def record(self, claimed, result, at=None):
        verdict = deliveries.record(
            self.session, claimed, result, self.schedules, at or now(), chance=0.5
        )
        self.session.commit()
        return verdict

    def round(self, at=None):
        at = at or now()
        claimed = self.claim(at)
        for each, result in self.courier.carry_all(claimed, lambda: at):
            self.record(each, result, at)
        return len(claimed)

    def delivery(self, person):
        self.session.expire_all()
        query = select(Delivery).join(Notification, Notification.id == Delivery.notification)
        query = query.where(Notification.person == person).order_by(Notification.sequence)
        return self.session.scalars(query).all()[-1]

    def reasons(self, person):
        query = select(Attempt.reason).where(Attempt.delivery == self.delivery(person).id)
        return self.session.scalars(query.order_by(Attempt.number)).all()
