"""One request and its answer: who asks, may they, is it well-formed, was it asked before; then the
handler; then the response.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, Any

from marshmallow import ValidationError
from werkzeug.wrappers import Response

from chassis import clock
from chassis.call import Call
from chassis.errors import (
    Forbidden,
    Invalid,
    NotFound,
    PreconditionRequired,
    ServiceError,
    Stale,
    Unauthenticated,
)
from chassis.http import LinliRequest
from chassis.ids import new_id
from services.gateway import bodies, etags, once, policy, responses, uploads
from services.gateway.authentication import ANONYMOUS, Caller, bearer_token, identify
from services.gateway.dialect import Dialect

if TYPE_CHECKING:
    from services.gateway.operation import Operation

Handler = Callable[[Any, "Ask"], Any]
_SHORTEST_DEADLINE = 0.05
_LONGEST_ID = 64


@dataclass(frozen=True)
class Ask:
    """A request as its handler gets it. `until` is when its caller must have an answer
    (`time.monotonic()`).
    """

    operation: "Operation"
    request: LinliRequest
    caller: Caller
    call: Call
    path: Mapping[str, str]
    until: float
    query: dict[str, Any] = field(default_factory=dict)
    body: dict[str, Any] = field(default_factory=dict)
    file: bytes = b""

    def of(self, service: Callable[..., Any]) -> Any:
        """Another service, asked in the caller's name, who must have an answer in time."""
        return service(self.call, deadline=self.deadline())

    def deadline(self) -> float:
        """Seconds left for asking another service."""
        return max(_SHORTEST_DEADLINE, self.until - time.monotonic())

    def version(self) -> int | None:
        """The lifecycle version that If-Match names, if any."""
        return etags.version_in(self.request.headers.get("If-Match"))

    def compare(self, current: Callable[[], Any], *, required: bool = False) -> Any:
        """What is there now, if the caller's If-Match names it whole.

        Without the header nothing is compared, unless it is `required`. Raises
        PreconditionRequired, Stale.
        """
        told = self.request.headers.get("If-Match")
        if told is None and required:
            raise PreconditionRequired()
        if told is None:
            return None
        found = current()
        shown = responses.shown(self.operation, found)
        if not etags.matches(told, etags.etag_of(shown)):
            raise Stale()
        return found

    def command(self) -> dict[str, Any]:
        """Path, query and body as one RPC command."""
        return {**self.query, **self.body, **self.path}


def serve(
    service: Any,
    operation: "Operation",
    handler: Handler,
    request: LinliRequest,
    path: Mapping[str, str],
    *,
    dialect: Dialect | None = None,
) -> Response:
    """The response to a request, in our dialect or another; only what nobody foresaw is raised."""
    headers: dict[str, str] = {}
    dialect = dialect or OURS
    try:
        caller = _admit(service, operation, request, headers, dialect)
        ask = _prepare(service, operation, request, path, caller, dialect=dialect)
        run = partial(_run, service, handler=handler, dialect=dialect)
        response = once.run(service, ask, run, dialect.canonical)
    except (ServiceError, ValidationError) as error:
        response = dialect.refusal(error, request)
        headers |= getattr(error, "headers", {})
    response.headers.update(headers)
    if operation.deprecated:
        # Added, for there may be a Link to the next page.
        response.headers.extend(operation.deprecated.headers())
    return response


def _admit(
    service: Any,
    operation: "Operation",
    request: LinliRequest,
    headers: dict[str, str],
    dialect: Dialect,
) -> Caller:
    """Who asks, if they may and not too often; `headers` gets what is said of their rate."""
    address = request.remote_addr or ""
    try:
        caller = _identified(service, dialect.token(request))
    except Unauthenticated:
        # Guessing tokens is as limited as anything else.
        headers |= service.gate.limits.count("anonymous", address).headers()
        raise
    rate = _rate(operation, caller)
    headers |= service.gate.limits.count(rate, caller.id or address).headers()
    _authorise(operation, caller)
    if operation.caller_rate:
        who = caller.id or address
        headers |= service.gate.limits.count(operation.caller_rate, who).headers()
    return caller


def _identified(service: Any, token: str | None) -> Caller:
    if token is None:
        return ANONYMOUS
    with service.db.statements() as database:
        return identify(database, token, clock.now())


def _rate(operation: "Operation", caller: Caller) -> str:
    if caller.kind == "anonymous":
        return operation.rate
    return "import" if caller.may_import() else "signed_in"


def _authorise(operation: "Operation", caller: Caller) -> None:
    """Turn away whoever may not do this to anything at all; what may be done to one thing is for
    its owner to say.
    """
    if operation.policy == "public":
        return
    anonymous = caller.kind == "anonymous"
    if anonymous and operation.policy == "signed_in":
        raise Unauthenticated()
    allowed = operation.policy == "signed_in" or policy.allows(caller.grants, operation.policy)
    if not allowed and anonymous:
        raise Unauthenticated()
    if not allowed and not operation.owner_decides:
        raise Forbidden()


def _prepare(
    service: Any,
    operation: "Operation",
    request: LinliRequest,
    path: Mapping[str, str],
    caller: Caller,
    *,
    dialect: Dialect,
) -> Ask:
    """The request, checked against its declaration."""
    if any(len(value) > _LONGEST_ID for value in path.values()):
        raise NotFound()
    body, query = dialect.body(operation, request), dialect.query(operation, request)
    file = uploads.read(request, operation.upload) if operation.upload else b""
    call = replace(
        request.call,
        actor=caller.actor(),
        grants=caller.grants,
        command_id=str(new_id()),
        occurred_at=_occurred_at(caller, body, query),
    )
    until = time.monotonic() + service.gate.settings.call_deadline
    return Ask(operation, request, caller, call, path, until, query, body, file)


def _body(operation: "Operation", request: LinliRequest) -> dict[str, Any]:
    if operation.body_schema is None:
        return {}
    raw = request.get_data()
    if raw or request.content_type:
        bodies.check_media_type(request.content_type or "")
    return dict(operation.body_schema.load(bodies.parse(raw) if raw else {}))


def _query(operation: "Operation", request: LinliRequest) -> dict[str, Any]:
    given = dict(request.args.items())
    repeated = [name for name, values in request.args.lists() if len(values) > 1]
    if repeated:
        raise Invalid(
            errors=[_fault(name, "repeated", "Given more than once.") for name in repeated]
        )
    for name, text in given.items():
        bodies.check_text(name, text)
    if operation.query_schema is None:
        if given:
            raise Invalid(
                errors=[_fault(name, "unknown_field", "Unknown field.") for name in given]
            )
        return {}
    return dict(operation.query_schema.load(given))


def _fault(name: str, code: str, message: str) -> dict[str, str]:
    return {"pointer": f"/{name}", "code": code, "message": message}


def _occurred_at(caller: Caller, body: dict[str, Any], query: dict[str, Any]) -> Any:
    """When it happened: now, unless whoever imports says otherwise."""
    told = body.pop("occurred_at", None) or query.pop("occurred_at", None)
    if told is None:
        return clock.now()
    if not caller.may_import():
        raise Forbidden("Only an API key with the scope `import` may say when something happened.")
    return clock.parse(told)


def _run(service: Any, ask: Ask, *, handler: Handler, dialect: Dialect) -> Response:
    try:
        answer = handler(service, ask)
        if isinstance(answer, Response):
            return answer
        return dialect.success(ask.operation, ask.request, answer)
    except (ServiceError, ValidationError) as error:
        return dialect.refusal(error, ask.request)


OURS = Dialect(
    token=lambda request: bearer_token(request.headers.get("Authorization")),
    query=_query,
    body=_body,
    canonical=once.canonical,
    success=responses.success,
    refusal=responses.refusal,
)
