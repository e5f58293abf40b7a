"""Group robots as endpoints: what may be asked of one, and how what it is spoken to with is stored:
sealed, URL and secret together, beside a URL that may be shown.
"""

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from uuid import UUID

from services.notifications.webhooks.errors import KeyLost
from services.notifications.webhooks.robots import NO_ROBOT, VENDORS, Robot
from services.notifications.webhooks.sealing import Seal, SealBroken

# What is sealed of a robot, by what it is asked for as.
_PARTS = {"url": "url", "robot_secret": "secret"}


def columns(
    seal: Seal,
    endpoint: UUID,
    kind: str,
    wanted: Mapping[str, Any],
    before: bytes | None = None,
) -> dict[str, Any]:
    """What is stored otherwise than it was asked for, when the format is that of a robot: its URL
    masked, URL and secret sealed (what is not asked for stays as it was), its rate no higher than
    its vendor's. Raises KeyLost when what should stay does not open.
    """
    vendor = VENDORS.get(kind)
    if vendor is None:
        return {}
    stored: dict[str, Any] = {}
    asked = {part: wanted[name] for name, part in _PARTS.items() if name in wanted}
    if asked:
        # One that does not sign has nothing but its URL.
        whole = "url" in asked and ("secret" in asked or not vendor.signs)
        robot = NO_ROBOT if whole or not before else _stored(seal, endpoint, before)
        robot = replace(robot, **asked)
        stored = {"url": vendor.masked(robot.url), "robot": closed(seal, endpoint, robot)}
    if "rate" in wanted:
        stored["rate"] = min(wanted["rate"], vendor.most)
    return stored


def _stored(seal: Seal, endpoint: UUID, sealed: bytes) -> Robot:
    try:
        return opened(seal, endpoint, sealed)
    except SealBroken:
        raise KeyLost from None


def closed(seal: Seal, endpoint: UUID, robot: Robot) -> bytes:
    """The robot, sealed for its endpoint."""
    return seal.close(endpoint, json.dumps([robot.url, robot.secret]))


def opened(seal: Seal, endpoint: UUID, sealed: bytes) -> Robot:
    """The robot; raises SealBroken."""
    return Robot(*json.loads(seal.open(endpoint, sealed)))
