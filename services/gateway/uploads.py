"""Uploads: one file, the part `file` of a form (RFC 7578). They stay in memory."""

import re
from collections.abc import Iterator

from werkzeug.exceptions import RequestEntityTooLarge

from chassis.errors import Invalid, ServiceError
from chassis.http import LinliRequest

FRAME = 1 << 16
"""Bytes that a form may have around its file."""

_MULTIPART = re.compile(r"multipart/form-data\s*;.*\bboundary=", re.IGNORECASE)


class NotAForm(ServiceError):
    """A file must be sent as the part `file` of multipart/form-data."""

    kind = "unsupported_media_type"
    code = "not_a_form"


def read(request: LinliRequest, most: int) -> bytes:
    """The file of a form that has nothing else. Raises NotAForm, Invalid, or 413 for more bytes
    than `most`.
    """
    if not _MULTIPART.match(request.headers.get("Content-Type", "")):
        raise NotAForm()
    faults = list(_faults(request))
    if faults:
        raise Invalid(errors=faults)
    content: bytes = request.files["file"].read()
    if len(content) > most:
        raise RequestEntityTooLarge()
    if not content:
        raise Invalid(errors=[_fault("file", "empty_file", "The file is empty.")])
    return content


def _faults(request: LinliRequest) -> Iterator[dict[str, str]]:
    if "file" not in request.files:
        yield _fault("file", "required", "Missing data for required field.")
    elif len(request.files.getlist("file")) > 1:
        yield _fault("file", "repeated", "Given more than once.")
    for name in {*request.form, *request.files} - {"file"}:
        yield _fault(name, "unknown_field", "Unknown field.")


def _fault(name: str, code: str, message: str) -> dict[str, str]:
    escaped = name.replace("~", "~0").replace("/", "~1")
    return {"pointer": f"/{escaped}", "code": code, "message": message}
