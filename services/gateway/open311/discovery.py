"""What is spoken here, and where, by the standard's https://wiki.open311.org/Service_Discovery/."""

from typing import Any, Final

# Changes with what is said below or with the services and their attributes, which are data that
# ships.
_CHANGESET: Final = "2026-11-29 12:00"
_SPECIFICATION: Final = "http://wiki.open311.org/GeoReport_v2"


def discovery(url: str, contact: str) -> dict[str, Any]:
    """The document; `contact` is for people who need help or a key."""
    endpoint = {
        "specification": _SPECIFICATION,
        "url": url,
        "changeset": _CHANGESET,
        "type": "production",
        "formats": ["text/xml", "application/json"],
    }
    return {
        "changeset": _CHANGESET,
        "contact": contact,
        "key_service": contact,
        "endpoints": [endpoint],
    }
