"""`ledger`: all that was filed in a period, as a file."""

import time
from collections.abc import Callable, Iterator
from typing import Any

from werkzeug.wrappers import Response

from chassis.errors import Unavailable
from services.gateway import ledger
from services.gateway.api.capability import Capability
from services.gateway.exchange import Ask
from services.gateway.operation import operation
from services.gateway.schemas import tickets as schemas
from services.gateway.schemas.ledger import Ledger as Answer

# Entries a page, and seconds after which a page is asked for again that could not be had.
_PAGE = 100
_AGAIN = (0.5, 2.0)

Page = dict[str, Any]


class Ledger(Capability):
    """Who may see a ticket there is for tickets to say, page by page."""

    @operation(
        "GET",
        "/ledger",
        policy="ledger.read",
        query=schemas.LedgerQuery,
        answer=Answer,
        also_as=("text/csv", ledger.XLSX),
    )
    def get_ledger(self, ask: Ask) -> Response:
        """The ledger of a period as JSON, CSV or XLSX, streamed."""
        query = ask.command()
        form = query.pop("format")
        limits = self.gate.settings.call_deadline

        def page(after: str | None) -> Page:
            wanted = {**query, "after": after, "limit": _PAGE}
            found: Page = self.tickets(ask.call, deadline=limits).ledger(wanted)
            return found

        # The first one in the request's own time: what is refused is refused before it begins.
        first = ask.of(self.tickets).ledger({**query, "limit": _PAGE})
        book = ledger.Book(first["from"], first["to"], _entries(first, page), ask.call.locale)
        # The first piece must not wait for others (see `ledger.written`).
        ask.request.environ["eventlet.minimum_write_chunk_size"] = 0
        name = f"ledger-{book.first}-{book.last}.{form}"
        media_type = ledger.MEDIA_TYPES[form]
        charset = "; charset=utf-8" if form == "csv" else ""
        return Response(
            ledger.written(book, form),
            content_type=f"{media_type}{charset}",
            headers={
                "Content-Disposition": f'attachment; filename="{name}"',
                "Content-Language": ask.call.locale,
            },
        )


def _entries(first: Page, page: Callable[[str | None], Page]) -> Iterator[Page]:
    """All entries; the next page is asked for when the one before has been sent."""
    now: Page = first
    while True:
        yield from now["items"]
        if now["next"] is None:
            return
        now = _patiently(page, now["next"])


def _patiently(page: Callable[[str | None], Page], after: str) -> Page:
    """A page, of which half the answer may have been sent: a short outage shall not spoil that."""
    for pause in _AGAIN:
        try:
            return page(after)
        except Unavailable:
            time.sleep(pause)
    return page(after)
