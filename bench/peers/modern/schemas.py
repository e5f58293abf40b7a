"""What is asked and answered, in pydantic."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, HttpUrl

Channel = Literal["page", "phone", "counter", "home_visit", "meeting", "hotline", "patrol"]
Category = Literal["water.burst_pipe", "water.no_supply"]


class NewTicket(BaseModel):
    """What is raised, and where."""

    model_config = ConfigDict(extra="forbid")

    kind: Literal["request"] = "request"
    category: Category
    title: Annotated[str, Field(max_length=100)] | None = None
    description: Annotated[str, Field(min_length=1, max_length=5000)]
    attributes: dict[str, str] = {}
    media_url: HttpUrl | None = None
    area: Annotated[str, Field(pattern=r"^[0-9]{12}(\.[a-z][0-9]+)*$")]
    address: Annotated[str, Field(max_length=200)] | None = None
    channel: Channel = "page"
    visibility: Literal["public", "private"] = "private"


class Place(BaseModel):
    """An area by code and name."""

    code: str
    name: str
    level: str | None


class Ticket(BaseModel):
    """A ticket, names beside its codes."""

    id: UUID
    number: str
    kind: str
    state: str
    version: int
    sequence: int
    category: str
    category_name: str
    title: str | None
    description: str
    attributes: dict[str, Any]
    media_url: str | None
    area: str
    area_name: str
    area_path: list[Place]
    address: str | None
    location: dict[str, float] | None
    channel: str
    visibility: str
    priority: str
    reporter: UUID | None
    on_behalf_of: UUID | None
    filed_by: UUID | None
    department: str | None
    department_name: str | None
    assignee: UUID | None
    responsible: UUID | None
    holder: dict[str, str] | None
    send_backs: int
    reopenings: int
    resolution: str | None
    refusal: dict[str, str] | None
    follow_up: dict[str, str] | None
    call_attempts: int
    filed_at: datetime
    recorded_at: datetime
    changed_at: datetime
    accepted_at: datetime | None
    assigned_at: datetime | None
    started_at: datetime | None
    resolved_at: datetime | None
    answer_by: datetime | None
    closed_at: datetime | None
    reopened_at: datetime | None
    moves: list[str]


class Page(BaseModel):
    """A page of tickets."""

    items: list[Ticket]
    next: str | None
