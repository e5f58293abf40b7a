"""Entity tags and what is compared with them (RFC 9110, sections 8.8.3 and 13.1).

A ticket's tag is `"<lifecycle version>-<digest>"`, any other's `"<digest>"`; the digest is of the
answer as this caller gets it.
"""

import hashlib
import json
import re
from collections.abc import Mapping
from typing import Any

# What an answer says about the request rather than about the thing.
_OF_THE_REQUEST = frozenset({"masked"})
_TAG = re.compile(r'(?:W/)?"([^"]*)"')
_VERSION = re.compile(r"([0-9]{1,9})(?:-.*)?")


def etag_of(answer: Any) -> str:
    """The tag of an answer; when it is a ticket, its version comes first."""
    if isinstance(answer, Mapping):
        answer = {name: value for name, value in answer.items() if name not in _OF_THE_REQUEST}
    text = json.dumps(answer, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    digest = hashlib.sha256(text.encode()).hexdigest()[:20]
    versioned = isinstance(answer, Mapping) and isinstance(answer.get("version"), int)
    return f'"{answer["version"]}-{digest}"' if versioned else f'"{digest}"'


def matches(header: str, etag: str) -> bool:
    """Whether an If-None-Match or If-Match header names this tag, whole, or any (`*`)."""
    return header.strip() == "*" or etag.strip('"') in _TAG.findall(header)


def version_in(header: str | None) -> int | None:
    """The lifecycle version that an If-Match header names: of each tag only the part before the
    dash counts.

    None without a header, and for `*`, which names no version; 0, which no ticket ever has, when no
    tag has a version.
    """
    if header is None or header.strip() in ("", "*"):
        return None
    versions = [found[1] for tag in _TAG.findall(header) if (found := _VERSION.fullmatch(tag))]
    # Several tags are rare; the newest is the only one that can still be current.
    return max((int(version) for version in versions), default=0)
