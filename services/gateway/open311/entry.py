"""`@georeport`: an entrypoint of the standard's, which passes what every request of ours passes
(who asks, how often, once or again) in the standard's own dialect.
"""

import json
from collections.abc import Callable
from dataclasses import replace
from functools import wraps
from typing import Any

from marshmallow import Schema
from werkzeug.wrappers import Response

from chassis.http import LinliRequest, http
from chassis.problems import locale_of
from services.gateway import exchange, tokens
from services.gateway.authentication import bearer_token
from services.gateway.dialect import Dialect
from services.gateway.exchange import Ask
from services.gateway.open311 import formats, forms
from services.gateway.open311.refusals import KeyInvalid, refusal
from services.gateway.operation import PUBLIC, Operation

PREFIX = "/open311/v2"
_ENDINGS = ("", ".json", ".xml")


def georeport(
    method: str,
    path: str,
    *,
    policy: str = PUBLIC,
    body: type[Schema] | None = None,
    query: type[Schema] | None = None,
    rate: str = "anonymous",
) -> Callable[[Callable[..., Any]], Callable[..., Response]]:
    """Serve a method at `path` under /open311/v2, also with an ending that names the format of the
    answer, a `formats.Document`. The other arguments are those of `operation.operation`.
    """

    def declare(handler: Callable[..., Any]) -> Callable[..., Response]:
        declared = _declared(handler, method, path, policy, body=body, query=query, rate=rate)

        @wraps(handler)
        def entrypoint(service: Any, request: LinliRequest, **values: str) -> Response:
            _choose_language(request)
            found = {name: formats.bare(value) for name, value in values.items()}
            return exchange.serve(service, declared, handler, request, found, dialect=_DIALECT)

        # What an id ends with is for `bare` to say: one rule matches all of it.
        for ending in ("",) if path.endswith(">") else _ENDINGS:
            http(method, f"{PREFIX}{path}{ending}", refusal=refusal)(entrypoint)
        return entrypoint

    return declare


def _declared(
    handler: Callable[..., Any], method: str, path: str, policy: str, **checks: Any
) -> Operation:
    return Operation(
        name=handler.__name__,
        method=method,
        path=path,
        summary=(handler.__doc__ or "").strip(),
        policy=policy,
        answer=None,
        status=201 if method == "POST" else 200,
        location=None,
        if_match=None,
        errors=(),
        media_type="text/xml",
        also_as=("application/json",),
        secret=False,
        personal=False,
        owner_decides=False,
        caller_rate=None,
        upload=None,
        tag="Open311",
        deprecated=None,
        **checks,
    )


def _choose_language(request: LinliRequest) -> None:
    """The parameter `locale` counts for more than the header, which few clients let one set."""
    if wanted := request.args.get("locale"):
        request.call = replace(request.call, locale=locale_of(wanted))


def _token(request: LinliRequest) -> str | None:
    """An API key, as the standard's parameter or, like any of our tokens, in the header."""
    key = request.values.get("api_key")
    if not key:
        return bearer_token(request.headers.get("Authorization"))
    if not key.startswith(tokens.API_KEY_PREFIX):
        raise KeyInvalid()
    return key


def _query(operation: Operation, request: LinliRequest) -> dict[str, Any]:
    schema = operation.query_schema
    return dict(schema.load(forms.query(request))) if schema else {}


def _body(operation: Operation, request: LinliRequest) -> dict[str, Any]:
    schema = operation.body_schema
    return dict(schema.load(forms.form(request))) if schema else {}


def _canonical(ask: Ask) -> bytes:
    """The form's fields but for the key, which may be shown in the header as well."""
    sent = sorted((name, text) for name, text in ask.request.form.items(multi=True))
    return json.dumps([pair for pair in sent if pair[0] != "api_key"]).encode()


def _success(operation: Operation, request: LinliRequest, answer: Any) -> Response:
    response = formats.respond(request, answer, operation.status)
    response.headers["Content-Language"] = request.locale
    return response


_DIALECT = Dialect(
    token=_token,
    query=_query,
    body=_body,
    canonical=_canonical,
    success=_success,
    refusal=refusal,
)
