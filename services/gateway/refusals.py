"""With what an operation may refuse: what its declaration says, and what follows from it."""

from chassis.errors import ServiceError
from chassis.problems import STATUS
from services.gateway.operation import PUBLIC, Operation

_IMPLIED = ("400 bad_request", "408 request_timeout", "429 rate_exceeded", "503 unavailable")
_BODY = (
    "400 broken_json", "411 length_required", "413 too_large", "415 wrong_media_type",
    "422 invalid",
)  # fmt: skip
_UPLOAD = ("411 length_required", "413 too_large", "415 not_a_form", "422 invalid")
_POST = ("409 still_running", "422 idempotency_key_reused", "422 idempotency_key_malformed")


def errors_of(declared: Operation) -> list[tuple[int, str]]:
    """Every status and code with which an operation may refuse, by status."""
    told = [*_IMPLIED, *declared.errors]
    told += _BODY if declared.body else _UPLOAD if declared.upload else ()
    if declared.method == "POST":
        told += _POST
    if "<" in declared.path:
        told.append("404 not_found")
    if declared.policy != PUBLIC:
        told += ["401 unauthenticated", "403 forbidden"]
    told.append("401 token_invalid")
    if declared.query or declared.method == "GET":
        told.append("422 invalid")
    if declared.if_match:
        told.append("412 stale")
    if declared.if_match and "required" in declared.if_match:
        told.append("428 precondition_required")
    return sorted({_status_and_code(error) for error in told})


def _status_and_code(error: str | type[ServiceError]) -> tuple[int, str]:
    if isinstance(error, str):
        status, code = error.split()
        return int(status), code
    return STATUS[error.kind], error.code
