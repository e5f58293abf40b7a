"""What every answer's headers say: whose it is, how it may be kept, and who may read it."""

from collections.abc import Collection

from werkzeug.wrappers import Request, Response

SECURITY = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
}
_CORS_REQUEST_HEADERS = (
    "Accept-Language, Authorization, Content-Type, Idempotency-Key, If-Match, If-None-Match, "
    "Last-Event-ID, X-Request-Id, traceparent"
)
_CORS_RESPONSE_HEADERS = (
    "Deprecation, ETag, Link, Location, RateLimit, RateLimit-Policy, Retry-After, Sunset, "
    "X-Request-Id"
)


def dress(request: Request, response: Response, request_id: str, origins: Collection[str]) -> None:
    """Complete the headers of an answer, which pages of these origins may read."""
    headers = response.headers
    for name, value in SECURITY.items():
        headers.setdefault(name, value)
    headers["X-Request-Id"] = request_id
    # What is said to one caller is for no shared cache, and is asked for again each time.
    headers.setdefault("Cache-Control", "private, no-cache" if "ETag" in headers else "no-store")
    headers.add("Vary", "Accept-Language")
    if origins:
        headers.add("Vary", "Origin")
        _allow_origin(request, response, origins)


def _allow_origin(request: Request, response: Response, origins: Collection[str]) -> None:
    origin = request.headers.get("Origin", "")
    if origin not in origins:
        return
    response.headers["Access-Control-Allow-Origin"] = origin
    response.headers["Access-Control-Expose-Headers"] = _CORS_RESPONSE_HEADERS
    if "Access-Control-Request-Method" in request.headers:
        response.headers["Access-Control-Allow-Methods"] = response.headers.get("Allow", "GET")
        response.headers["Access-Control-Allow-Headers"] = _CORS_REQUEST_HEADERS
        response.headers["Access-Control-Max-Age"] = "600"
