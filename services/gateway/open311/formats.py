"""JSON and XML, which are the same by the standard's Spark convention: what holds several of one
kind is a list in JSON, and an element with a child for each in XML.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from xml.etree.ElementTree import Element, SubElement, tostring

from werkzeug.wrappers import Request, Response

JSON, XML = "json", "xml"
_MEDIA_TYPES: Final = {JSON: "application/json", XML: "text/xml"}
_ENDING = re.compile(r"(?P<bare>.+)\.(?P<ending>json|xml)")
# By the element around them, what each of several is called.
_ONE_OF: Final[Mapping[str, str]] = {
    "services": "service",
    "attributes": "attribute",
    "values": "value",
    "service_requests": "request",
    "service_request_updates": "request_update",
    "errors": "error",
    "endpoints": "endpoint",
    "formats": "format",
}
# XML 1.0 knows no way to write these.
_NO_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@dataclass(frozen=True)
class Document:
    """What is answered: the name of its root in XML, and its value as JSON."""

    root: str
    value: Any


def bare(text: str) -> str:
    """The last part of a path without the ending that names a format."""
    found = _ENDING.fullmatch(text)
    return found["bare"] if found else text


def format_of(request: Request) -> str:
    """The format that the path's ending names, or else the one that is preferred by its Accept
    header; XML, which every client of the standard reads, to whoever has no preference.
    """
    if found := _ENDING.fullmatch(request.path):
        return found["ending"]
    accepted = request.accept_mimetypes
    if not accepted:
        return XML
    best = accepted.best_match(["text/xml", "application/xml", "application/json"])
    return JSON if best == "application/json" else XML


def respond(request: Request, document: Document, status: int) -> Response:
    """The document in the request's format."""
    wanted = format_of(request)
    body = as_json(document) if wanted == JSON else as_xml(document)
    response = Response(body, status, content_type=f"{_MEDIA_TYPES[wanted]}; charset=utf-8")
    response.headers.add("Vary", "Accept")
    return response


def as_json(document: Document) -> bytes:
    """UTF-8, as XML is."""
    return json.dumps(document.value, ensure_ascii=False, separators=(",", ":")).encode()


def as_xml(document: Document) -> bytes:
    """XML 1.0 in UTF-8, with its declaration."""
    root = Element(document.root)
    _fill(root, document.value)
    return bytes(tostring(root, encoding="utf-8", xml_declaration=True))


def _fill(element: Element, value: Any) -> None:
    if isinstance(value, Mapping):
        for name, below in value.items():
            _fill(SubElement(element, name), below)
    elif isinstance(value, list):
        for each in value:
            _fill(SubElement(element, _ONE_OF[element.tag]), each)
    elif value is not None:
        element.text = _text(value)


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return _NO_XML.sub("\ufffd", str(value))
