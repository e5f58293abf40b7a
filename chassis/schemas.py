"""Schemas of which one instance serves for all: building one costs more than using it."""

from collections.abc import Mapping
from functools import cache
from typing import Any

from marshmallow import Schema


@cache
def instance(schema: type[Schema]) -> Schema:
    """The instance of a schema, which keeps nothing from one use to the next."""
    return schema()


def load(schema: type[Schema], given: Mapping[str, Any]) -> Any:
    """What was given, checked and as Python values; raises marshmallow.ValidationError."""
    return instance(schema).load(given)
