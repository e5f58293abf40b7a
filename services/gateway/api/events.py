"""`events`: the feed and the stream of what happened, on one cursor."""

import json
from typing import Any

from werkzeug.wrappers import Response

from services.gateway.api.capability import Capability
from services.gateway.exchange import Ask
from services.gateway.feed import CursorGone, CursorMalformed
from services.gateway.feed_rules import Filters
from services.gateway.operation import operation
from services.gateway.schemas import events as schemas


class Events(Capability):
    """Who may see a thing may see its events."""

    @operation(
        "GET",
        "/events",
        policy="events.read",
        query=schemas.EventQuery,
        answer=schemas.EventPage,
        errors=(CursorGone, CursorMalformed),
    )
    def list_events(self, ask: Ask) -> Any:
        """The events that one may see, oldest first."""
        query = ask.query
        page = self.events.page(ask.call, _filters(query), query.get("after"), query["limit"])
        return {
            "items": [json.loads(item) for item in page.items],
            "next": page.cursor if page.more else None,
            "cursor": page.cursor,
        }

    @operation(
        "GET",
        "/events/stream",
        policy="events.read",
        query=schemas.StreamQuery,
        media_type="text/event-stream",
        errors=(CursorGone, CursorMalformed),
    )
    def stream_events(self, ask: Ask) -> Response:
        """The events that one may see, as server-sent events; the id of each is the cursor."""
        after = ask.request.headers.get("Last-Event-ID") or ask.query.get("after")
        stream: Response = self.events.stream(ask.request, ask.call, _filters(ask.query), after)
        return stream


def _filters(query: dict[str, Any]) -> Filters:
    types = query.get("type")
    return Filters(
        types=tuple(types.split(",")) if types else (),
        area=query.get("area"),
        department=query.get("department"),
        subject=query.get("subject"),
    )
