"""The `CurrentCall` dependency: the call that an entrypoint answers."""

from typing import Any

import structlog
from nameko.extensions import DependencyProvider

from chassis import trace
from chassis.call import Call
from chassis.ids import new_id

CALL = "linli_call"
EVENT_ID = "linli_event_id"


class CurrentCall(DependencyProvider):  # type: ignore[misc]
    """Gives an entrypoint the call that it answers; without one, an anonymous call that may do
    nothing.
    """

    def get_dependency(self, worker_ctx: Any) -> Call:
        call: Call | None = worker_ctx.data.get(CALL)
        return call or Call(request_id=str(new_id()), traceparent=trace.here())

    def worker_setup(self, worker_ctx: Any) -> None:
        """Have every log line of the worker carry what it was asked by: request and event id, and
        of which trace it is.
        """
        call: Call | None = worker_ctx.data.get(CALL)
        structlog.contextvars.bind_contextvars(
            request_id=call.request_id if call else None,
            event_id=worker_ctx.data.get(EVENT_ID),
            trace_id=trace.id_of(call.traceparent if call else trace.here()),
        )
