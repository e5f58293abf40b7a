"""`duties`: who has which role where, from when to when."""

from typing import Any

from chassis.errors import NotFound
from services.gateway.api.capability import Capability
from services.gateway.exchange import Ask
from services.gateway.operation import operation
from services.gateway.schemas import registry as schemas
from services.gateway.schemas.common import list_of


class Duties(Capability):
    """Administrators give and end them; community staff may look."""

    @operation(
        "GET",
        "/duties",
        policy="duties.read",
        query=schemas.DutyQuery,
        answer=list_of(schemas.Duty),
    )
    def list_duties(self, ask: Ask) -> Any:
        """Duties, in the order in which they were given."""
        return ask.of(self.residents).list_duties(ask.command())

    @operation(
        "POST",
        "/duties",
        policy="duties.write",
        body=schemas.NewDuty,
        answer=schemas.Duty,
        status=201,
        location="/duties/{id}",
        errors=("409 duty_overlaps",),
    )
    def start_duty(self, ask: Ask) -> Any:
        """Give a person a duty."""
        return ask.of(self.residents).start_duty(ask.command())

    @operation(
        "GET", "/duties/<uuid:id>", policy="duties.read", answer=schemas.Duty, errors=(NotFound,)
    )
    def get_duty(self, ask: Ask) -> Any:
        """One duty."""
        return ask.of(self.residents).get_duty(ask.command())

    @operation(
        "PATCH",
        "/duties/<uuid:id>",
        policy="duties.write",
        body=schemas.DutyChange,
        answer=schemas.Duty,
        if_match="whole",
        errors=(NotFound, "409 duty_overlaps"),
    )
    def end_duty(self, ask: Ask) -> Any:
        """Set the last day of a duty, or none."""
        residents = ask.of(self.residents)
        ask.compare(lambda: residents.get_duty(dict(ask.path)))
        return residents.end_duty(ask.command())
