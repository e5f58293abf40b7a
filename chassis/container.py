"""nameko's container of workers: none ends without a word, and each has its span."""

from collections.abc import Callable
from typing import Any

import eventlet
from nameko.containers import ServiceContainer

from chassis import metrics, trace
from chassis.context import CALL
from chassis.errors import ServiceError, fault
from chassis.inbox import AlreadyHandled


class Container(ServiceContainer):  # type: ignore[misc]
    """nameko's, in which a time limit of eventlet that nobody caught is a failure like any other.

    It is no Exception: a worker would end without a word, its caller unanswered and its message in
    hand for ever.
    """

    def _run_worker(self, worker_ctx: Any, handle_result: Any) -> None:
        """With spans, in one of its own, or in its request's: an entrypoint has `span(worker_ctx)`
        for what it is in a trace, which may be nothing. nameko's timer has none.
        """
        if not trace.on():
            super()._run_worker(worker_ctx, handle_result)
            return
        call = worker_ctx.data.get(CALL)
        span = getattr(worker_ctx.entrypoint, "span", _by_the_clock)(worker_ctx)
        if span is None:
            with trace.within(call.traceparent):
                super()._run_worker(worker_ctx, handle_result)
            return
        if call is not None:
            worker_ctx.data[CALL] = call.under(span.traceparent)
        worker_ctx.span = span
        with span, trace.within(span.traceparent):
            super()._run_worker(worker_ctx, handle_result)

    def _worker_setup(self, worker_ctx: Any) -> None:
        super()._worker_setup(worker_ctx)
        name = worker_ctx.entrypoint.method_name
        method = getattr(worker_ctx.service, name)
        span = getattr(worker_ctx, "span", None)
        setattr(worker_ctx.service, name, _with_errors(method, span))


def _by_the_clock(worker_ctx: Any) -> trace.Span:
    name = f"{worker_ctx.service_name}.{worker_ctx.entrypoint.method_name}"
    return trace.span(name, trace.INTERNAL, None)


def _with_errors(method: Callable[..., Any], span: trace.Span | None) -> Callable[..., Any]:
    name = method.__name__

    def call(*args: Any, **kwargs: Any) -> Any:
        outcome = "ok"
        with metrics.ENTRYPOINT_SECONDS.labels(name).time():
            try:
                return method(*args, **kwargs)
            except eventlet.Timeout as reached:
                outcome = "timeout"
                _mark(span, reached)
                raise TimeoutError("a time limit was reached that nobody caught") from reached
            except Exception as error:
                outcome = error.code if isinstance(error, ServiceError) else type(error).__name__
                _mark(span, error)
                raise
            finally:
                metrics.ENTRYPOINT_OUTCOMES.labels(name, outcome).inc()

    return call


def _mark(span: trace.Span | None, error: BaseException) -> None:
    """nameko catches the error before the span could see it."""
    if span and not isinstance(error, AlreadyHandled) and (reason := fault(error)):
        span.fail(reason)
