"""The API's documentation: /api/openapi.json, /api/docs, and a page for each problem. Nothing of it
comes from other hosts.
"""

from html import escape
from importlib import resources
from typing import Any

from werkzeug.wrappers import Response

from chassis.errors import NotFound
from chassis.http import LinliRequest, http
from services.gateway import etags, openapi
from services.gateway.problem_texts import PROBLEMS

_FILES = {
    "swagger-ui.css": "text/css; charset=utf-8",
    "swagger-ui-bundle.js": "text/javascript; charset=utf-8",
    "favicon-32x32.png": "image/png",
}
# Swagger UI sets style attributes; everything else comes from here.
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'"
)
_PAGE = """\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>Linli API</title>
<link rel="icon" href="/api/docs/favicon-32x32.png">
<link rel="stylesheet" href="/api/docs/swagger-ui.css">
</head>
<body>
<div id="docs"></div>
<noscript>This page needs a script; the document itself is at
<a href="/api/openapi.json">/api/openapi.json</a>.</noscript>
<script src="/api/docs/swagger-ui-bundle.js"></script>
<script src="/api/docs/start.js"></script>
</body>
</html>
"""
# Without `servers` in the document, what is tried goes to the host that the page is from.
_START = """\
SwaggerUIBundle({
  url: "/api/openapi.json", dom_id: "#docs", deepLinking: true, validatorUrl: null,
  tryItOutEnabled: true, displayRequestDuration: true, filter: true
});
"""
_PROBLEM = """\
<!doctype html>
<html lang="{locale}">
<head>
<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
</head>
<body>
<h1>{title}</h1>
<p>{detail}</p>
<p><code>{code}</code></p>
</body>
</html>
"""


class Docs:
    """For everybody, outside /api/v1."""

    @http("GET", "/api/openapi.json")
    def openapi_document(self, request: LinliRequest) -> Response:
        """The OpenAPI document."""
        document = openapi.document()
        response = Response(openapi.as_json(), content_type="application/json")
        response.headers["ETag"] = etags.etag_of(document)
        return response.make_conditional(request)

    @http("GET", "/api/docs")
    def docs_page(self, _request: LinliRequest) -> Response:
        """The document to look at and to try out."""
        response = Response(_PAGE, content_type="text/html; charset=utf-8")
        response.headers["Content-Security-Policy"] = _POLICY
        return response

    @http("GET", "/api/docs/<name>")
    def docs_file(self, _request: LinliRequest, name: str) -> Response:
        """What the page is made of."""
        response = _file(name)
        response.headers["Cache-Control"] = "public, max-age=86400"
        return response

    @http("GET", "/problems/<code>")
    def problem_page(self, request: LinliRequest, code: str) -> Response:
        """What the `type` of a problem means."""
        if code not in PROBLEMS:
            raise NotFound()
        return Response(_problem(code, request.locale), content_type="text/html; charset=utf-8")


def _file(name: str) -> Response:
    if name == "start.js":
        return Response(_START, content_type="text/javascript; charset=utf-8")
    if name not in _FILES:
        raise NotFound()
    # importlib.resources rather than the package: importing it would bring its web frameworks.
    static: Any = resources.files("swagger_ui") / "static" / name
    return Response(static.read_bytes(), content_type=_FILES[name])


def _problem(code: str, locale: str) -> str:
    text = PROBLEMS[code][locale]
    detail = text.detail.replace("{", "").replace("}", "")
    return _PROBLEM.format(
        locale=locale, title=escape(text.title), detail=escape(detail), code=escape(code)
    )
