"""Every event there is: what endpoints may ask for. A test holds it against what services emit."""

EVENT_TYPES = (
    "linli.residents.area_added.v1",
    "linli.residents.area_renamed.v1",
    "linli.residents.department_added.v1",
    "linli.residents.department_changed.v1",
    "linli.residents.duty_changed.v1",
    "linli.residents.duty_ended.v1",
    "linli.residents.duty_started.v1",
    "linli.residents.household_amended.v1",
    "linli.residents.household_closed.v1",
    "linli.residents.household_registered.v1",
    "linli.residents.resident_amended.v1",
    "linli.residents.resident_erased.v1",
    "linli.residents.resident_moved_in.v1",
    "linli.residents.resident_moved_out.v1",
    "linli.residents.resident_phone_changed.v1",
    "linli.residents.resident_phone_withdrawn.v1",
    "linli.residents.resident_registered.v1",
    "linli.tickets.ticket_accepted.v1",
    "linli.tickets.ticket_amended.v1",
    "linli.tickets.ticket_assigned.v1",
    "linli.tickets.ticket_closed.v1",
    "linli.tickets.ticket_commented.v1",
    "linli.tickets.ticket_excluded.v1",
    "linli.tickets.ticket_filed.v1",
    "linli.tickets.ticket_included.v1",
    "linli.tickets.ticket_rated.v1",
    "linli.tickets.ticket_refused.v1",
    "linli.tickets.ticket_reopened.v1",
    "linli.tickets.ticket_resolved.v1",
    "linli.tickets.ticket_sent_back.v1",
    "linli.tickets.ticket_started.v1",
    "linli.tickets.ticket_withdrawn.v1",
)

TICKET_EVENTS = tuple(each for each in EVENT_TYPES if each.startswith("linli.tickets.ticket_"))

TEST = "linli.notifications.webhook_tested.v1"
"""What an endpoint is tried with; it is never on the bus."""
