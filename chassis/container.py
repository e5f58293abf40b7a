"""nameko's container of workers: none ends without a word."""

from collections.abc import Callable
from typing import Any

import eventlet
from nameko.containers import ServiceContainer

from chassis import metrics
from chassis.errors import ServiceError


class Container(ServiceContainer):  # type: ignore[misc]
    """nameko's, in which a time limit of eventlet that nobody caught is a failure like any other.

    It is no Exception: a worker would end without a word, its caller unanswered and its message in
    hand for ever.
    """

    def _worker_setup(self, worker_ctx: Any) -> None:
        super()._worker_setup(worker_ctx)
        name = worker_ctx.entrypoint.method_name
        setattr(worker_ctx.service, name, _with_errors(getattr(worker_ctx.service, name)))


def _with_errors(method: Callable[..., Any]) -> Callable[..., Any]:
    name = method.__name__

    def call(*args: Any, **kwargs: Any) -> Any:
        outcome = "ok"
        with metrics.ENTRYPOINT_SECONDS.labels(name).time():
            try:
                return method(*args, **kwargs)
            except eventlet.Timeout as reached:
                outcome = "timeout"
                raise TimeoutError("a time limit was reached that nobody caught") from reached
            except Exception as error:
                outcome = error.code if isinstance(error, ServiceError) else type(error).__name__
                raise
            finally:
                metrics.ENTRYPOINT_OUTCOMES.labels(name, outcome).inc()

    return call
