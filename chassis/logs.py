"""Structured logs: one JSON object a line on standard error, with static event names and keyword
fields.

Identifiers only: whoever logs a name, a phone or an ID number has made a mistake.
"""

import logging
import re
import sys
from typing import Any

import structlog
from structlog.processors import ExceptionRenderer
from structlog.tracebacks import ExceptionDictTransformer

from chassis import clock

# nameko logs whole exceptions, arguments included; what is worth knowing of a worker's failure we
# log ourselves.
_LOUD = ("nameko", "amqp", "kombu", "eventlet", "alembic", "werkzeug")


def configure(service: str, level: str = "INFO") -> None:
    """Set up logging for this process; `service` stands in every line."""
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            _Stamp(service),
            # Without locals: they may hold what nobody should read in a log.
            ExceptionRenderer(ExceptionDictTransformer(show_locals=False)),
            structlog.processors.JSONRenderer(ensure_ascii=False, default=str),
            _without_numbers,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelName(level)),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
    logging.basicConfig(level=logging.WARNING, handlers=[_ToStructlog()], force=True)
    for name in _LOUD:
        logging.getLogger(name).setLevel(logging.ERROR)
    logging.getLogger("nameko.containers").setLevel(logging.CRITICAL)
    # Of a collector that is away it would tell at every batch, with its address.
    logging.getLogger("opentelemetry").setLevel(logging.CRITICAL)


def get(name: str) -> Any:
    """A logger whose lines carry `source=name`."""
    return structlog.get_logger(source=name)


# Mobile and ID numbers (GB 11643), standing free. No line should hold one; an exception's text may
# all the same.
_NUMBERS = re.compile(r"(?<![\w.-])(?:1[3-9]\d{9}|\d{17}[\dXx])(?![\w-])")


def _without_numbers(_logger: Any, _method: str, line: Any) -> Any:
    return _NUMBERS.sub("***", line)


class _Stamp:
    """Adds when and by which service a line was written.

    Not bound as a context variable: every greenthread begins with an empty context.
    """

    def __init__(self, service: str) -> None:
        self._service = service

    def __call__(self, _logger: Any, _method: str, event: Any) -> Any:
        return {"time": clock.iso(clock.now()), "service": self._service} | event


class _ToStructlog(logging.Handler):
    """Sends what libraries log through the same renderer, without arguments that might hold
    data.
    """

    def emit(self, record: logging.LogRecord) -> None:
        structlog.get_logger(source=record.name).log(
            record.levelno,
            "library_message",
            message=record.getMessage()[:500],
            exc_info=record.exc_info,
        )
