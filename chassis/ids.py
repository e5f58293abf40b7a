"""Identifiers: UUID version 7 (RFC 9562), which sort by the time they were made and so keep B-trees
dense.
"""

import uuid

from uuid_utils.compat import uuid7


def new_id() -> uuid.UUID:
    """A fresh UUIDv7."""
    return uuid7()
