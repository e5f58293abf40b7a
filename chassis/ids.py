"""Identifiers: UUID version 7 (RFC 9562), which sort by the time they were made and so keep B-trees
dense.
"""

import uuid
from datetime import UTC, datetime, timedelta

from uuid_utils.compat import uuid7


def new_id() -> uuid.UUID:
    """A fresh UUIDv7."""
    return uuid7()


def made_at(made: uuid.UUID) -> datetime:
    """When an id of `new_id` was made, to the millisecond (RFC 9562, section 5.7)."""
    return datetime.fromtimestamp(0, UTC) + timedelta(milliseconds=made.int >> 80)
