"""Group robots of WeCom, DingTalk and Feishu: their addresses, what each is sent, what its answers
mean. Pure.

WeCom: https://developer.work.weixin.qq.com/document/path/91770
DingTalk: https://open.dingtalk.com/document/robots/custom-robot-access
Feishu: https://open.feishu.cn/document/client-docs/bot-v3/add-custom-bot
"""

import base64
import hmac
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import urlencode, urlsplit

from services.notifications.webhooks.addresses import Networks, UrlRefused, is_allowed, literal
from services.notifications.webhooks.outcome import Reason

STANDARD = "standard"
"""The format of an endpoint that is no robot."""
HIDDEN = "…"
"""Stands for what only the sender may know; no URL holds it, so that none is made of it again."""


@dataclass(frozen=True)
class Robot:
    """What a robot is spoken to with: its URL, which holds its key, and the secret that its owner
    had made for it, if any.
    """

    url: str = field(repr=False)
    secret: str | None = field(repr=False)


NO_ROBOT = Robot("", None)


@dataclass(frozen=True)
class Message:
    """A message on its way: the whole URL, and the JSON of the body."""

    url: str = field(repr=False)
    content: Mapping[str, Any] = field(repr=False)

    @property
    def body(self) -> bytes:
        """UTF-8, as all three want it."""
        return json.dumps(self.content, ensure_ascii=False, separators=(",", ":")).encode()


def wecom(robot: Robot, said: str, _at: datetime) -> Message:
    """WeCom signs nothing: its key is its secret."""
    return Message(robot.url, {"msgtype": "text", "text": {"content": said}})


def dingtalk(robot: Robot, said: str, at: datetime) -> Message:
    """DingTalk is signed in the URL, by the millisecond."""
    content = {"msgtype": "text", "text": {"content": said}}
    if robot.secret is None:
        return Message(robot.url, content)
    moment = int(at.timestamp() * 1000)
    signed = {"timestamp": moment, "sign": dingtalk_sign(robot.secret, moment)}
    return Message(f"{robot.url}&{urlencode(signed)}", content)


def feishu(robot: Robot, said: str, at: datetime) -> Message:
    """Feishu is signed in the body, by the second."""
    content: dict[str, Any] = {"msg_type": "text", "content": {"text": said}}
    if robot.secret is not None:
        moment = int(at.timestamp())
        content |= {"timestamp": str(moment), "sign": feishu_sign(robot.secret, moment)}
    return Message(robot.url, content)


def dingtalk_sign(secret: str, moment: int) -> str:
    """The secret signs the time (in milliseconds) and itself."""
    return _digest(secret, f"{moment}\n{secret}")


def feishu_sign(secret: str, moment: int) -> str:
    """The time (in seconds) and the secret are the key; nothing is signed with it."""
    return _digest(f"{moment}\n{secret}", "")


def _digest(key: str, text: str) -> str:
    return base64.b64encode(hmac.digest(key.encode(), text.encode(), "sha256")).decode()


@dataclass(frozen=True)
class Vendor:
    """How one vendor's robots work. `place` is what follows the host, its group the key; `rate` is
    the messages a minute that it documents; `pause` the seconds that it wants to be spared when
    there were more; `code` names the field of its answers that says 0 when all is well, `words` the
    one that says what is not.
    """

    host: str
    place: re.Pattern[str]
    rate: int
    pause: float
    code: str
    words: str
    too_often: tuple[int, ...]
    signs: bool
    message: Callable[[Robot, str, datetime], Message]

    @property
    def most(self) -> int:
        """The messages a minute that are sent: a tenth fewer, for a network bunches what was sent
        apart, and DingTalk answers one too many with ten minutes of silence.
        """
        return self.rate * 9 // 10

    def check(self, url: str, networks: Networks) -> None:
        """Raises UrlRefused for what is no address of this vendor's robots. At an address that a
        setting lets through somebody may stand in for the vendor.
        """
        parts = urlsplit(url)
        theirs = (parts.scheme, parts.netloc) == ("https", self.host)
        address = literal(parts.hostname or "")
        stand_in = address is not None and is_allowed(address, networks)
        if not (theirs or stand_in) or self.place.fullmatch(_place(url)) is None:
            raise UrlRefused("not_this_robot", f"Not the address of a robot at {self.host}.")

    def key(self, url: str) -> str:
        """What of a URL that was checked nobody else may know."""
        match = self.place.fullmatch(_place(url))
        return match[1] if match else _place(url)

    def masked(self, url: str) -> str:
        """A URL that was checked, as people may see it."""
        return url.removesuffix(self.key(url)) + HIDDEN

    def understand(self, answer: str) -> Reason:
        """What an answer with the status 200 means."""
        try:
            said = json.loads(answer)
            code = said[self.code]
        except (ValueError, TypeError, KeyError, RecursionError):
            return Reason.PROTOCOL_ERROR
        if code == 0:
            return Reason.DELIVERED
        # Feishu has one code for what it cannot read and, some say, for what comes too often.
        words = str(said.get(self.words, "")).lower()
        often = code in self.too_often or any(each in words for each in _OFTEN)
        return Reason.THROTTLED if often else Reason.ROBOT_REFUSED


_OFTEN = ("too many request", "send too fast")
_KEY = r"([A-Za-z0-9_-]{1,200})"

VENDORS: Mapping[str, Vendor] = {
    "wecom": Vendor(
        host="qyapi.weixin.qq.com",
        place=re.compile(rf"/cgi-bin/webhook/send\?key={_KEY}"),
        rate=20,
        pause=60.0,
        code="errcode",
        words="errmsg",
        too_often=(45009,),
        signs=False,
        message=wecom,
    ),
    "dingtalk": Vendor(
        host="oapi.dingtalk.com",
        place=re.compile(rf"/robot/send\?access_token={_KEY}"),
        rate=20,
        pause=600.0,
        code="errcode",
        words="errmsg",
        too_often=(130101, 410100, 90030),
        signs=True,
        message=dingtalk,
    ),
    "feishu": Vendor(
        host="open.feishu.cn",
        place=re.compile(rf"/open-apis/bot/v2/hook/{_KEY}"),
        rate=100,
        pause=60.0,
        code="code",
        words="msg",
        too_often=(11232, 99991400),
        signs=True,
        message=feishu,
    ),
}

FORMATS = (STANDARD, *VENDORS)


def _place(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.path}?{parts.query}" if "?" in url else parts.path
