"""Running a POST once: claim its key, run it, settle the claim; or give the stored answer again."""

import hashlib
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from werkzeug.wrappers import Response

from chassis import clock
from services.gateway import bodies, idempotency
from services.gateway.idempotency import Claim, Scope, Stored

if TYPE_CHECKING:
    from services.gateway.exchange import Ask

# Of a stored answer, what is about the thing rather than about the request.
_STORED_HEADERS = ("Location", "ETag", "Content-Language", "Content-Type")


def run(
    service: Any,
    ask: "Ask",
    handle: Callable[["Ask"], Response],
    canonical: Callable[["Ask"], bytes],
) -> Response:
    """The response of `handle`, or, when the request has an Idempotency-Key that was answered
    before, with a body that is `canonical`ly the same, that answer again. Raises KeyMalformed,
    KeyReused, StillRunning.
    """
    key = ask.request.headers.get("Idempotency-Key")
    if ask.request.method != "POST" or key is None:
        return handle(ask)
    caller = ask.caller.id or f"address {ask.request.remote_addr}"
    scope = Scope(f"{ask.caller.kind} {caller}", "POST", ask.request.path, idempotency.checked(key))
    secret = service.gate.settings.secret
    digest = idempotency.body_digest(secret, canonical(ask))
    with service.db.statements() as database:
        claimed = idempotency.claim(database, scope.digest(), digest, clock.now())
    if isinstance(claimed, Stored):
        return _replay(claimed, scope.open(secret, claimed.body))
    ask = replace(ask, call=replace(ask.call, command_id=str(scope.command_id())))
    seal = partial(scope.seal, secret) if ask.operation.storable else None
    with _settled(service, claimed, seal) as settle:
        response = handle(ask)
        settle(response)
    return response


def canonical(ask: "Ask") -> bytes:
    """The body without its whitespace and order, so that a client may write the same anew; of a
    form, whose boundary is another each time, the file and what was asked with it.
    """
    if ask.operation.upload:
        return ask.request.query_string + b"\n" + hashlib.sha256(ask.file).digest()
    raw = ask.request.get_data()
    value = bodies.parse(raw) if raw and ask.operation.body_schema else None
    return json.dumps(value, sort_keys=True).encode()


@contextmanager
def _settled(
    service: Any, claim: Claim, seal: Callable[[bytes], bytes] | None
) -> Iterator[Callable[[Response], None]]:
    """Settle the claim whatever happens: the answer is kept if it may be (`seal`), and otherwise
    the way is free for another attempt.
    """
    answered: list[Response] = []
    try:
        yield answered.append
    finally:
        with service.db.statements() as database:
            status = answered[0].status_code if answered else 500
            if not idempotency.is_stored(status):
                idempotency.abandon(database, claim)
            elif seal:
                idempotency.finish(database, claim, _storable(answered[0], seal))
            else:
                idempotency.release(database, claim, clock.now())


def _storable(response: Response, seal: Callable[[bytes], bytes]) -> Stored:
    headers = {name: response.headers[name] for name in _STORED_HEADERS if name in response.headers}
    return Stored(response.status_code, headers, seal(response.get_data()))


def _replay(stored: Stored, body: bytes) -> Response:
    response = Response(body, stored.status, stored.headers)
    response.headers["Idempotency-Replayed"] = "true"
    return response
