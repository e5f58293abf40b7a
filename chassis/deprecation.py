"""What is announced to go away, and how others are told."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from email.utils import format_datetime
from typing import Any

from chassis import clock


@dataclass(frozen=True)
class Deprecation:
    """Deprecated from the beginning of the day `since`, no more there from that of `sunset`;
    `successor` takes its place: an event type, or the path of an operation.
    """

    since: date
    sunset: date
    successor: str

    def headers(self) -> list[tuple[str, str]]:
        """`Deprecation` (RFC 9745), `Sunset` (RFC 8594), and the successor (RFC 5829)."""
        return [
            ("Deprecation", f"@{int(_beginning(self.since).timestamp())}"),
            ("Sunset", format_datetime(_beginning(self.sunset).astimezone(UTC), usegmt=True)),
            ("Link", f'<{self.successor}>; rel="successor-version"'),
        ]

    def said(self) -> dict[str, Any]:
        """The same in an OpenAPI operation or a JSON Schema."""
        return {
            "deprecated": True,
            "x-since": self.since.isoformat(),
            "x-sunset": self.sunset.isoformat(),
            "x-successor": self.successor,
        }


def _beginning(day: date) -> datetime:
    return datetime.combine(day, time(), clock.ZONE)
