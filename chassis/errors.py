"""The few kinds of error that services raise, over RPC and in consumers.

Each class has a `kind`, which decides the HTTP status, and a stable `code`, which clients may rely
on; a domain error is a subclass with a code of its own. The first sentence of a docstring is the
default message.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from marshmallow import ValidationError


class ServiceError(Exception):
    """Something went wrong."""

    kind = "internal"
    code = "internal"

    def __init__(
        self,
        detail: str | None = None,
        *,
        errors: Sequence[Mapping[str, str]] = (),
        **params: Any,
    ) -> None:
        self.detail = detail or (type(self).__doc__ or "").strip().split("\n")[0]
        self.errors = [dict(error) for error in errors]
        # Python's own words (`from`, `class`) are passed with a trailing underscore.
        self.params = {name.removesuffix("_"): value for name, value in params.items()}
        super().__init__(self.detail)

    def to_wire(self) -> dict[str, Any]:
        """The JSON object in which the error crosses the bus."""
        return {
            "kind": self.kind,
            "code": self.code,
            "detail": self.detail,
            "params": self.params,
            "errors": self.errors,
        }


class Invalid(ServiceError):
    """The request is not valid."""

    kind = code = "invalid"


class NotFound(ServiceError):
    """There is no such thing."""

    kind = code = "not_found"


class Gone(ServiceError):
    """It was there, and is no longer."""

    kind = code = "gone"


class Forbidden(ServiceError):
    """This is not yours to do."""

    kind = code = "forbidden"


class Unauthenticated(ServiceError):
    """Sign in first."""

    kind = code = "unauthenticated"


class Conflict(ServiceError):
    """The present state does not allow it."""

    kind = code = "conflict"


class Stale(ServiceError):
    """It has changed since you read it."""

    kind = code = "stale"


class PreconditionRequired(ServiceError):
    """Say with If-Match which version you have read."""

    kind = code = "precondition_required"


class TooManyRequests(ServiceError):
    """Too many requests; `retry_after` is in seconds."""

    kind = code = "too_many_requests"


class Unavailable(ServiceError):
    """It cannot be done right now; `retry_after` is in seconds."""

    kind = code = "unavailable"


class Retryable(ServiceError):
    """This event cannot be handled yet; trying again later may help."""

    kind = code = "retryable"


class Permanent(ServiceError):
    """This event can never be handled."""

    kind = code = "permanent"


_FAULTS = ("internal", "unavailable", "retryable", "permanent")


def fault(error: BaseException) -> str | None:
    """What to call it where failures are counted; None of a refusal, which is an answer."""
    if not isinstance(error, ServiceError):
        return type(error).__name__
    return error.code if error.kind in _FAULTS else None


KINDS: dict[str, type[ServiceError]] = {
    cls.kind: cls
    for cls in (
        ServiceError,
        Invalid,
        NotFound,
        Gone,
        Forbidden,
        Unauthenticated,
        Conflict,
        Stale,
        PreconditionRequired,
        TooManyRequests,
        Unavailable,
        Retryable,
        Permanent,
    )
}


def from_wire(wire: Mapping[str, Any]) -> ServiceError:
    """The error that `to_wire` described, as an instance of its kind that carries its own code."""
    error = KINDS.get(wire.get("kind", ""), ServiceError)(
        wire.get("detail"), errors=wire.get("errors", ())
    )
    error.code = wire.get("code", error.kind)
    error.params = dict(wire.get("params", {}))
    return error


def from_validation(error: ValidationError) -> Invalid:
    """marshmallow's messages as a flat list of `{pointer, code, message}`, pointers after RFC
    6901.
    """
    return Invalid(errors=list(_flatten(error.normalized_messages(), "")))


def _flatten(messages: Any, pointer: str) -> list[dict[str, str]]:
    if isinstance(messages, dict):
        return [
            found
            for name, below in messages.items()
            for found in _flatten(below, pointer if name == "_schema" else _join(pointer, name))
        ]
    if isinstance(messages, list):
        return [found for below in messages for found in _flatten(below, pointer)]
    return [{"pointer": pointer, "code": _code(str(messages)), "message": str(messages)}]


def _join(pointer: str, name: object) -> str:
    return f"{pointer}/{str(name).replace('~', '~0').replace('/', '~1')}"


_CODES = {
    "Missing data for required field.": "required",
    "Unknown field.": "unknown_field",
    "Field may not be null.": "null",
}


def _code(message: str) -> str:
    return _CODES.get(message, "invalid_value")
