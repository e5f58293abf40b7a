"""The servers of WeCom, DingTalk and Feishu as group robots meet them: a real HTTP server on
loopback that stands in for these strangers, verifies as their documents say and answers in their
words.

What is signed is reckoned here anew, after the vendors' own samples.
"""

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.integration.notifications.receiver import Listener

HOUR = 3600.0
_FEISHU = "/open-apis/bot/v2/hook/"

# DingTalk has several ways to say that there was too much.
_BUSY = {
    130101: "send too fast, exceed 20 times per minute",
    410100: "发送速度太快而限流",
    90030: "webhook over limit",
}

Answer = dict[str, Any]


@dataclass
class Bot:
    """A robot in a group: its key, the secret that it was given, how many messages a minute it
    takes, `busy` the code with which one of DingTalk says that there were more; `said` is what the
    group reads.
    """

    key: str
    secret: str | None = None
    most: int = 20
    busy: int = 130101
    said: list[str] = field(default_factory=list)
    heard: list[float] = field(default_factory=list)

    def too_often(self) -> bool:
        """Whether there were more than it takes within the last minute, this one included."""
        now = time.monotonic()
        self.heard = [at for at in self.heard if now - at < 60] + [now]
        return len(self.heard) > self.most

    def says(self, text: str) -> None:
        self.said.append(text)


class Vendors(Listener):
    """All three on one port, told apart by the path."""

    def __init__(self) -> None:
        self.bots: dict[str, Bot] = {}
        self.paths: list[str] = []
        server = _Server(("127.0.0.1", 0), _Handler)
        server.vendors = self
        super().__init__(server)

    def bot(self, vendor: str, key: str, **options: Any) -> tuple[Bot, str]:
        """A robot in a group of its own, and its URL."""
        self.bots[key] = Bot(key, **options)
        return self.bots[key], self.url(vendor, key)

    def url(self, vendor: str, key: str) -> str:
        """Where a robot of this key would be."""
        place = {
            "wecom": f"/cgi-bin/webhook/send?key={key}",
            "dingtalk": f"/robot/send?access_token={key}",
            "feishu": f"{_FEISHU}{key}",
        }[vendor]
        return f"http://127.0.0.1:{self._server.server_port}{place}"

    def answer(self, path: str, content: Any) -> Answer | None:
        """What the vendor says; None where there is nothing."""
        self.paths.append(path)
        parts = urlsplit(path)
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        vendor: Callable[[Bot | None, dict[str, str], Any], Answer]
        if parts.path == "/cgi-bin/webhook/send":
            vendor, key = wecom, query.get("key", "")
        elif parts.path == "/robot/send":
            vendor, key = dingtalk, query.get("access_token", "")
        elif parts.path.startswith(_FEISHU):
            vendor, key = feishu, parts.path.removeprefix(_FEISHU)
        else:
            return None
        return vendor(self.bots.get(key), query, content)


def wecom(bot: Bot | None, _query: dict[str, str], content: Any) -> Answer:
    """developer.work.weixin.qq.com/document/path/91770"""
    if bot is None:
        return {"errcode": 93000, "errmsg": "invalid webhook url, hint: [1], from ip: 127.0.0.1"}
    if content.get("msgtype") != "text":
        return {"errcode": 40008, "errmsg": "invalid message type"}
    if len(content["text"]["content"].encode()) > 2048:
        return {"errcode": 40058, "errmsg": "text.content exceed max length 2048"}
    if bot.too_often():
        return {"errcode": 45009, "errmsg": "api freq out of limit"}
    bot.says(content["text"]["content"])
    return {"errcode": 0, "errmsg": "ok"}


def dingtalk(bot: Bot | None, query: dict[str, str], content: Any) -> Answer:
    """open.dingtalk.com/document/robots/customize-robot-security-settings"""
    if bot is None:
        return {"errcode": 300005, "errmsg": "token is not exist"}
    if bot.secret is not None:
        moment = query.get("timestamp", "0")
        if abs(time.time() * 1000 - int(moment)) > HOUR * 1000:
            return {"errcode": 310000, "errmsg": "invalid timestamp"}
        text = f"{moment}\n{bot.secret}".encode()
        digest = hmac.new(bot.secret.encode(), text, hashlib.sha256).digest()
        if query.get("sign") != base64.b64encode(digest).decode():
            return {"errcode": 310000, "errmsg": "sign not match"}
    if bot.too_often():
        return {"errcode": bot.busy, "errmsg": _BUSY[bot.busy]}
    bot.says(content["text"]["content"])
    return {"errcode": 0, "errmsg": "ok"}


def feishu(bot: Bot | None, _query: dict[str, str], content: Any) -> Answer:
    """open.feishu.cn/document/client-docs/bot-v3/add-custom-bot"""
    if bot is None:
        message = "param invalid: incoming webhook access token invalid"
        return {"code": 19001, "data": {}, "msg": message}
    if bot.secret is not None:
        moment = content.get("timestamp", "0")
        key = f"{moment}\n{bot.secret}".encode()
        digest = hmac.new(key, b"", hashlib.sha256).digest()
        right = content.get("sign") == base64.b64encode(digest).decode()
        if not right or abs(time.time() - int(moment)) > HOUR:
            message = "sign match fail or timestamp is not within one hour from current time"
            return {"code": 19021, "data": {}, "msg": message}
    if content.get("msg_type") != "text":
        return {"code": 9499, "data": {}, "msg": "Bad Request"}
    if bot.too_often():
        return {"code": 11232, "data": {}, "msg": "frequency limited"}
    bot.says(content["content"]["text"])
    return {"code": 0, "data": {}, "msg": "success", "StatusCode": 0, "StatusMessage": "success"}


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    vendors: Vendors


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def do_POST(self) -> None:
        content = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        said = self.server.vendors.answer(self.path, content)
        # As many servers do, what was not found is named.
        body = json.dumps(said or {"error": f"Cannot POST {self.path}"}).encode()
        self.send_response(200 if said else 404)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Nobody wants to know."""
