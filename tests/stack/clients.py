"""The system as its callers see it: plain HTTP clients, each somebody, and the phones they read.

Everything here comes from what `ready.json` holds, so that it works against any running Linli.
"""

import re
import uuid
from collections.abc import Mapping
from types import TracebackType
from typing import Any, Self

import requests

from chassis.testing import eventually

TIMEOUT = 15.0
# No ticket's number, of which other texts tell.
CODE = re.compile(r"(?<![\d-])\d{6}(?!\d)")


class Client:
    """One caller of the API; `token` makes it somebody. `id` is who that is, when it is known."""

    def __init__(
        self,
        url: str,
        token: str | None = None,
        id: str | None = None,
        *,
        keep_alive: bool = True,
    ) -> None:
        self.url, self.token, self.id = url, token, id
        self._keep_alive = keep_alive
        self._session = requests.Session()
        # Else a proxy or a ~/.netrc of the environment would have its say.
        self._session.trust_env = False
        self._session.headers["Accept-Language"] = "en"
        if not keep_alive:
            self._session.headers["Connection"] = "close"
        if token:
            self._session.headers["Authorization"] = f"Bearer {token}"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        _type: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        self.close()

    def twin(self) -> "Client":
        """The same caller over connections of its own, for another thread."""
        return Client(self.url, self.token, self.id, keep_alive=self._keep_alive)

    def through(self, port: int, *, keep_alive: bool = True) -> "Client":
        """The same caller, reaching the gateway through another port on loopback."""
        return Client(f"http://127.0.0.1:{port}", self.token, self.id, keep_alive=keep_alive)

    def request(self, method: str, path: str, **options: Any) -> requests.Response:
        """Any request; `path` is under /api/v1 unless it begins with a slash."""
        where = path if path.startswith("/") else f"/api/v1/{path}"
        options.setdefault("timeout", TIMEOUT)
        return self._session.request(method, self.url + where, **options)

    def get(self, path: str, **options: Any) -> requests.Response:
        """GET."""
        return self.request("GET", path, **options)

    def post(self, path: str, body: Any = None, **options: Any) -> requests.Response:
        """POST a JSON body; `key` is its Idempotency-Key, `version` what its If-Match names."""
        headers = dict(options.pop("headers", {}))
        if (key := options.pop("key", None)) is not None:
            headers["Idempotency-Key"] = key
        if (version := options.pop("version", None)) is not None:
            headers["If-Match"] = f'"{version}"'
        return self.request("POST", path, json=body, headers=headers, **options)

    def make(self, path: str, body: Any, **options: Any) -> Any:
        """POST that must succeed; its answer."""
        answer = self.post(path, body, **options)
        assert answer.ok, (path, answer.status_code, answer.text)
        return answer.json()

    def read(self, path: str, **options: Any) -> Any:
        """GET that must succeed; its answer."""
        answer = self.get(path, **options)
        assert answer.ok, (path, answer.status_code, answer.text)
        return answer.json()

    def items(self, path: str, **params: Any) -> list[dict[str, Any]]:
        """Every item of a list, page after page."""
        found, after = [], None
        while True:
            page = self.read(path, params={**params, **({"after": after} if after else {})})
            found += page["items"]
            if not (after := page["next"]):
                return found

    def move(self, ticket: Mapping[str, Any], name: str, body: Any = None) -> dict[str, Any]:
        """A move that must succeed; the ticket afterwards."""
        path = f"tickets/{ticket['id']}/{name}"
        moved: dict[str, Any] = self.make(path, body or {}, version=ticket["version"])
        return moved

    def file(self, **fields: Any) -> dict[str, Any]:
        """File a ticket; it must succeed."""
        filed: dict[str, Any] = self.make("tickets", filing(**fields))
        return filed

    def close(self) -> None:
        """Give its connections back."""
        self._session.close()


class Community:
    """The people of a running Linli, signed in when first asked for by the names of
    `ready.json`.
    """

    def __init__(self, ready: Mapping[str, Any]) -> None:
        self.ready = ready
        self.url: str = ready["url"]
        self._clients: dict[str, Client] = {}

    @property
    def anonymous(self) -> Client:
        """Somebody without a session."""
        return self._keep("anonymous", lambda: Client(self.url))

    @property
    def administrators_key(self) -> Client:
        """A program with the administrator's API key."""
        return self._keep("key", lambda: Client(self.url, self.ready["api_key"]))

    @property
    def waters_key(self) -> Client:
        """A program of the water company."""
        token = self.ready["departments"]["water"]["api_key"]
        return self._keep("water's key", lambda: Client(self.url, token))

    def staff(self, name: str) -> Client:
        """Somebody with login and password: secretary, staff, water, …"""
        return self._keep(name, lambda: self._open(self.ready["sign_ins"][name]))

    def resident(self, phone: str | None = None) -> Client:
        """Somebody with a phone; the demo's resident unless told otherwise."""
        number = phone or self.ready["sign_ins"]["resident"]["phone"]
        return self._keep(number, lambda: self._sign_in(number))

    def texts(self, phone: str) -> list[str]:
        """What was sent to a phone, oldest first."""
        with requests.Session() as session:
            session.trust_env = False
            found = session.get(
                f"{self.ready['sms_url']}/messages", params={"to": phone}, timeout=TIMEOUT
            )
            return [message["text"] for message in found.json()["items"]]

    def close(self) -> None:
        """Give all connections back."""
        for client in self._clients.values():
            client.close()

    def _keep(self, name: str, make: Any) -> Client:
        if name not in self._clients:
            self._clients[name] = make()
        return self._clients[name]

    def _sign_in(self, phone: str) -> Client:
        before = len(self._codes(phone))
        answer = self.anonymous.post("sessions/codes", {"phone": phone})
        assert answer.status_code == 202, answer.text
        code = eventually(lambda: self._codes(phone)[before:])[-1]
        return self._open({"phone": phone, "code": code})

    def _codes(self, phone: str) -> list[str]:
        return [found[0] for text in self.texts(phone) if (found := CODE.search(text))]

    def _open(self, credentials: Mapping[str, str]) -> Client:
        opened = self.anonymous.make("sessions", dict(credentials))
        return Client(self.url, opened["token"], opened["actor"]["id"])


BUILDING = "340603008002.e1.g1.b1"


def filing(**fields: Any) -> dict[str, Any]:
    """The body of a filing that says something of its own."""
    return {
        "kind": "request",
        "category": "water.burst_pipe",
        "description": f"A pipe leaks ({a_word()})",
        "area": BUILDING,
        "channel": "page",
        "visibility": "private",
        **fields,
    }


def a_word() -> str:
    """Letters that nobody else has: digits of a UUID may look like a phone number, and are masked
    in what people write.
    """
    return uuid.uuid4().hex.translate(str.maketrans("0123456789", "ghijklmnop"))


def new_key() -> str:
    """An Idempotency-Key that nobody has used."""
    return str(uuid.uuid4())
