"""A ticket as a plain value, field by field its row: what rules and answers are made from."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Self

from services.tickets.lifecycle import State


@dataclass(frozen=True, kw_only=True)
class Ticket:
    """One request. Ids are text; times are aware; `*_at` are when it happened, `recorded_at` when
    it was written down.
    """

    id: str
    number: str
    kind: str
    command_id: str | None
    state: State
    # What If-Match compares: one more whenever state, assignee or department change.
    version: int
    # One more at every event.
    sequence: int

    category: str
    title: str | None
    description: str
    # What was answered to the category's own questions, by their codes; a picture somewhere else.
    attributes: Mapping[str, Any] = field(default_factory=dict)
    media_url: str | None = None
    area: str
    # The codes from the district down to `area`.
    area_path: tuple[str, ...]
    # The place's part of a routing key.
    place: str
    address: str | None
    latitude: float | None
    longitude: float | None
    channel: str
    visibility: str
    priority: str

    # Who speaks and, when somebody else, for whom: residents' ids; and whoever wrote it down.
    reporter: str | None
    on_behalf_of: str | None
    filed_by: str | None

    department: str | None = None
    assignee: str | None = None
    accepted_by: str | None = None
    # Who answers for it: the first to receive it, until another has accepted it by working on it
    # (首接负责).
    responsible: str | None = None
    send_backs: int = 0
    reopenings: int = 0

    # What was done about it, or why nothing will be.
    resolution: str | None = None
    refusal: str | None = None
    refer_to: str | None = None
    solved: str | None = None
    satisfied: str | None = None
    contacted: str | None = None
    # Calls in vain since it was last resolved, and until when an answer is waited for.
    call_attempts: int = 0
    answer_by: datetime | None = None

    filed_at: datetime
    recorded_at: datetime
    changed_at: datetime
    accepted_at: datetime | None = None
    assigned_at: datetime | None = None
    started_at: datetime | None = None
    resolved_at: datetime | None = None
    closed_at: datetime | None = None
    reopened_at: datetime | None = None

    def changed(self, changes: Mapping[str, Any]) -> Self:
        """The ticket with these fields changed: one `sequence` further, and one `version` if who
        has it or its state changed.
        """
        after = replace(self, **changes, sequence=self.sequence + 1)
        return replace(after, version=self.version + (_lifecycle(after) != _lifecycle(self)))


def _lifecycle(ticket: Ticket) -> tuple[str, str | None, str | None]:
    return ticket.state, ticket.assignee, ticket.department
