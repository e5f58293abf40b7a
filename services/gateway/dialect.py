"""How requests are read and answers written: as ours are (`exchange.OURS`), or as a standard has
them that others wrote.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from marshmallow import ValidationError
from werkzeug.wrappers import Response

from chassis.errors import ServiceError
from chassis.http import LinliRequest

if TYPE_CHECKING:
    from services.gateway.exchange import Ask
    from services.gateway.operation import Operation

Reading = Callable[["Operation", LinliRequest], dict[str, Any]]


@dataclass(frozen=True)
class Dialect:
    """`token`: what a caller proves to be somebody with; `query` and `body` check what is asked
    against its declaration; `canonical`: what a repeated request must have the same of; `success`
    and `refusal` word the answer. What they raise is refused.
    """

    token: Callable[[LinliRequest], str | None]
    query: Reading
    body: Reading
    canonical: Callable[["Ask"], bytes]
    success: Callable[["Operation", LinliRequest, Any], Response]
    refusal: Callable[[ServiceError | ValidationError, LinliRequest], Response]
