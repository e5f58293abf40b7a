"""HTTP that tells what went wrong, after the gateway of nameko's examples."""

import json
from typing import Any

from marshmallow import ValidationError
from nameko.exceptions import safe_for_serialization
from nameko.web.handlers import HttpRequestHandler
from werkzeug.wrappers import Response


class Refused(Exception):
    """The request is answered with a status and a code."""

    def __init__(self, status: int, code: str) -> None:
        super().__init__(code)
        self.status = status


class HttpEntrypoint(HttpRequestHandler):  # type: ignore[misc]
    """Maps exceptions to statuses."""

    def response_from_exception(self, exc: Exception) -> Response:
        status = 400 if isinstance(exc, ValidationError) else getattr(exc, "status", 500)
        body = {"error": type(exc).__name__, "message": safe_for_serialization(exc)}
        return Response(json.dumps(body), status, mimetype="application/json")


http: Any = HttpEntrypoint.decorator
