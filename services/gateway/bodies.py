"""Reading JSON bodies strictly: what is not clean JSON is refused here, so that nothing behind the
gateway meets it.
"""

import json
import re
from collections.abc import Iterator
from typing import Any

from chassis.errors import Invalid, ServiceError

# PostgreSQL's text knows no NUL; half a surrogate pair is not a character and cannot be written as
# UTF-8.
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
_MEDIA_TYPE = re.compile(r"application/(?:json|[\w.!#$&^-]+\+json)", re.IGNORECASE)
_MAX_DEPTH = 32
_MAX_DIGITS = 32


class BrokenJson(ServiceError):
    """The body is not valid JSON."""

    kind = "bad_request"
    code = "broken_json"


class WrongMediaType(ServiceError):
    """The body must be sent as application/json in UTF-8."""

    kind = "unsupported_media_type"
    code = "wrong_media_type"


def check_media_type(content_type: str) -> None:
    """Raises WrongMediaType unless the header names JSON in UTF-8 (RFC 8259 knows no other)."""
    media_type, _, parameters = content_type.partition(";")
    charset = re.search(r"charset\s*=\s*\"?([\w-]+)", parameters, re.IGNORECASE)
    if not _MEDIA_TYPE.fullmatch(media_type.strip()):
        raise WrongMediaType()
    if charset and charset[1].lower() not in ("utf-8", "utf8"):
        raise WrongMediaType()


def parse(body: bytes) -> Any:
    """The JSON value in `body`.

    Raises BrokenJson for bad UTF-8 or syntax, repeated names, NaN and infinities, numbers of more
    than 32 characters, nesting deeper than 32; raises Invalid, with pointers, for text with NUL or
    a lone surrogate.
    """
    try:
        value = json.loads(
            body.decode("utf-8"),
            object_pairs_hook=_without_repeats,
            parse_constant=_refuse,
            parse_int=_bounded_int,
            parse_float=_finite_float,
        )
    except (ValueError, RecursionError) as error:
        raise BrokenJson() from error
    faults = list(_unstorable(value, "", 0))
    if faults:
        raise Invalid(errors=faults)
    return value


def check_text(name: str, text: str) -> None:
    """Raises Invalid when a parameter's text has NUL or a lone surrogate in it."""
    if _UNSTORABLE.search(text):
        raise Invalid(errors=[_fault(f"/{name}")])


def _without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name is repeated")
    return found


def _refuse(constant: str) -> Any:
    raise ValueError(f"{constant} is not JSON")


def _bounded_int(digits: str) -> int:
    if len(digits) > _MAX_DIGITS:
        raise ValueError("a number is too long")
    return int(digits)


def _finite_float(digits: str) -> float:
    number = float(digits) if len(digits) <= _MAX_DIGITS else float("inf")
    if number in (float("inf"), float("-inf")):
        raise ValueError("a number is too large")
    return number


def _unstorable(value: Any, pointer: str, depth: int) -> Iterator[dict[str, str]]:
    if depth > _MAX_DEPTH:
        raise BrokenJson()
    if isinstance(value, str) and _UNSTORABLE.search(value):
        yield _fault(pointer)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _unstorable(item, f"{pointer}/{index}", depth + 1)
    elif isinstance(value, dict):
        for name, item in value.items():
            if _UNSTORABLE.search(name):
                yield _fault(pointer)
            else:
                escaped = name.replace("~", "~0").replace("/", "~1")
                yield from _unstorable(item, f"{pointer}/{escaped}", depth + 1)


def _fault(pointer: str) -> dict[str, str]:
    return {
        "pointer": pointer,
        "code": "invalid_text",
        "message": "Text with NUL or half a surrogate pair cannot be kept.",
    }
