"""Group robots as endpoints: what may be asked of one, and how what it is spoken to with is stored:
sealed, URL and secret together, beside a URL that may be shown.
"""

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from uuid import UUID

from services.notifications.webhooks.robots import NO_ROBOT, VENDORS, Robot
from services.notifications.webhooks.sealing import Seal


def columns(
    seal: Seal,
    endpoint: UUID,
    kind: str,
    wanted: Mapping[str, Any],
    before: bytes | None = None,
) -> dict[str, Any]:
    """What is stored otherwise than it was asked for, when the format is that of a robot: its URL
    masked, URL and secret sealed (what is not asked for stays as it was), its rate no higher than
    its vendor's.
    """
    vendor = VENDORS.get(kind)
    if vendor is None:
        return {}
    stored: dict[str, Any] = {}
    if wanted.keys() & {"url", "robot_secret"}:
        robot = opened(seal, endpoint, before) if before else NO_ROBOT
        robot = replace(
            robot,
            url=wanted.get("url", robot.url),
            secret=wanted.get("robot_secret", robot.secret),
        )
        stored = {"url": vendor.masked(robot.url), "robot": closed(seal, endpoint, robot)}
    if "rate" in wanted:
        stored["rate"] = min(wanted["rate"], vendor.most)
    return stored


def closed(seal: Seal, endpoint: UUID, robot: Robot) -> bytes:
    """The robot, sealed for its endpoint."""
    return seal.close(endpoint, json.dumps([robot.url, robot.secret]))


def opened(seal: Seal, endpoint: UUID, sealed: bytes) -> Robot:
    """The robot; raises InvalidTag for that of another endpoint or under another key."""
    return Robot(*json.loads(seal.open(endpoint, sealed)))
