"""`@operation`: one declaration per operation of the API, from which its checks and its
documentation are made.

A handler takes an `Ask`, in which everything is checked, and returns the answer as JSON values.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, wraps
from typing import Any

from marshmallow import Schema
from werkzeug.wrappers import Response

from chassis.deprecation import Deprecation
from chassis.errors import ServiceError
from chassis.http import http
from services.gateway import exchange, uploads
from services.gateway.policy import OPERATIONS as POLICY
from services.gateway.policy import Role, allows, grants_for

PREFIX = "/api/v1"
# What stands in the place of a policy's operation: for everybody, and for everybody who is signed
# in.
PUBLIC, SIGNED_IN = "public", "signed_in"


@dataclass(frozen=True)
class Operation:
    """What is declared of one operation; see `operation` for the meaning of each field."""

    name: str
    method: str
    path: str
    summary: str
    policy: str
    body: type[Schema] | None
    query: type[Schema] | None
    answer: type[Schema] | None
    status: int
    location: str | None
    if_match: str | None
    errors: tuple[type[ServiceError] | str, ...]
    media_type: str
    also_as: tuple[str, ...]
    secret: bool
    personal: bool
    owner_decides: bool
    rate: str
    caller_rate: str | None
    upload: int | None
    tag: str
    deprecated: Deprecation | None = None

    @property
    def storable(self) -> bool:
        """Whether its answer may be kept, to be given again under the same key."""
        return not (self.secret or self.personal)

    # Building a schema costs more than using it.
    @cached_property
    def body_schema(self) -> Schema | None:
        """The schema that the body is checked by."""
        return self.body() if self.body else None

    @property
    def body_optional(self) -> bool:
        """Whether an empty body will do."""
        schema = self.body_schema
        return schema is None or not schema.validate({})

    @property
    def open_to_all(self) -> bool:
        """Whether somebody who is not signed in may ask for it."""
        return self.policy == PUBLIC or allows(grants_for([Role("anonymous")]), self.policy)

    @cached_property
    def query_schema(self) -> Schema | None:
        """The schema that the query is checked by."""
        return self.query() if self.query else None

    @cached_property
    def answer_schema(self) -> Schema | None:
        """The schema through which the answer leaves: what it does not name stays inside."""
        return self.answer() if self.answer else None


OPERATIONS: list[Operation] = []


def operation(
    method: str,
    path: str,
    *,
    policy: str,
    body: type[Schema] | None = None,
    query: type[Schema] | None = None,
    answer: type[Schema] | None = None,
    status: int = 200,
    location: str | None = None,
    if_match: str | None = None,
    errors: tuple[type[ServiceError] | str, ...] = (),
    media_type: str = "application/json",
    also_as: tuple[str, ...] = (),
    secret: bool = False,
    personal: bool = False,
    owner_decides: bool = False,
    rate: str = "anonymous",
    caller_rate: str | None = None,
    upload: int | None = None,
    deprecated: Deprecation | None = None,
) -> Callable[[Callable[..., Any]], Callable[..., Response]]:
    """Serve a method at `path` under /api/v1.

    `policy`: the operation of the policy table that a caller needs, or PUBLIC or SIGNED_IN; with
    `owner_decides` a signed-in caller is only turned away by the service that owns the thing, which
    may have to hide that it exists. `body`, `query`, `answer`: schemas. `status`: of success.
    `location`: a path under /api/v1, filled in from the answer. `if_match`: what an If-Match header
    is compared with, `version` or `whole`, and whether it is `required`. `errors`: what it may
    raise besides what its declaration implies, as classes or, for what other services raise, as
    `<status> <code>`. `media_type`: of the answer; `also_as`: others that the query may ask for, of
    an answer that the handler streams. `secret`: its answer is never stored and has no tag.
    `personal`: nor is one that says what is kept in the register alone. `rate`: the rate that holds
    for anonymous callers. `caller_rate`: one more, of this operation, for each
    caller. `upload`: it takes a file of so many bytes, as the part `file` of a form. `deprecated`:
    since when and until when it is there, which every answer says.
    """

    def declare(handler: Callable[..., Any]) -> Callable[..., Response]:
        declared = Operation(
            name=handler.__name__,
            method=method,
            path=path,
            summary=(handler.__doc__ or "").strip(),
            policy=_known(policy),
            body=body,
            query=query,
            answer=answer,
            status=status,
            location=location,
            if_match=if_match,
            errors=errors,
            media_type=media_type,
            also_as=also_as,
            secret=secret,
            personal=personal,
            owner_decides=owner_decides,
            rate=rate,
            caller_rate=caller_rate,
            upload=upload,
            deprecated=deprecated,
            tag=handler.__qualname__.partition(".")[0],
        )
        OPERATIONS.append(declared)

        return _entrypoint(declared, handler)

    return declare


def _entrypoint(declared: Operation, handler: Callable[..., Any]) -> Callable[..., Response]:
    @wraps(handler)
    def entrypoint(service: Any, request: Any, **values: Any) -> Response:
        path = {name: str(value) for name, value in values.items()}
        return exchange.serve(service, declared, handler, request, path)

    entrypoint.operation = declared  # type: ignore[attr-defined]
    stream = declared.media_type == "text/event-stream"
    max_body = declared.upload and declared.upload + uploads.FRAME
    serve = http(declared.method, PREFIX + declared.path, stream=stream, max_body=max_body)
    return serve(entrypoint)  # type: ignore[no-any-return]


def _known(policy: str) -> str:
    if policy not in POLICY and policy not in (PUBLIC, SIGNED_IN):
        raise ValueError(f"{policy} is no operation of the policy")
    return policy
