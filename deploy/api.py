"""The gateway's API as one actor sees it: for programs that bring data in over HTTP."""

import time
from collections.abc import Iterator, Mapping
from typing import Any

import requests

PATIENCE = 20.0
"""Seconds for what was written to one service to reach the others by event."""
AGAIN = frozenset({429, 502, 503, 504})
"""Worth asking again: nobody has decided, or nobody knows. What is made twice has a key."""
_TIMEOUT = 15.0


class Refused(RuntimeError):
    """The system refused what was asked: `status` and the `problem` it gave."""

    def __init__(self, asked: str, response: requests.Response) -> None:
        super().__init__(f"{asked}: {response.status_code} {response.text[:500]}")
        self.status = response.status_code
        self.problem: dict[str, Any] = response.json() if response.content else {}


class Api:
    """One actor's requests. Each waits out a service that is away or a rate that is exceeded; where
    nothing can be made twice by it, it is sent again when its connection is lost.
    """

    def __init__(self, url: str, token: str | None = None) -> None:
        self._url = f"{url}/api/v1"
        self._session = requests.Session()
        self._session.trust_env = False
        if token:
            self._session.headers["Authorization"] = f"Bearer {token}"

    def sign_in(self, login: str, password: str) -> dict[str, Any]:
        """Act as this person from now on; returns who that is."""
        opened = self.post("sessions", {"login": login, "password": password})
        self._session.headers["Authorization"] = f"Bearer {opened['token']}"
        actor: dict[str, Any] = opened["actor"]
        return actor

    def accepts(self, token: str | None) -> bool:
        """Whether there is an API key, and it is good here."""
        headers = {"Authorization": f"Bearer {token}"}
        return self._session.get(f"{self._url}/sessions/current", headers=headers, timeout=10).ok

    def get(self, path: str, **query: Any) -> dict[str, Any]:
        """What is at `path`; raises Refused."""
        return self._answer("GET", path, params=query)

    def items(self, path: str, **query: Any) -> Iterator[dict[str, Any]]:
        """All of a list, page by page."""
        after: dict[str, str] = {}
        while True:
            page = self.get(path, **query, **after)
            yield from page["items"]
            if page["next"] is None:
                return
            after = {"after": page["next"]}

    def post(
        self, path: str, body: Mapping[str, Any], key: str | None = None, version: int | None = None
    ) -> dict[str, Any]:
        """Make something; `key` makes it once however often it is sent, `version` is the one of the
        ticket that it was decided on. Raises Refused.
        """
        headers = {"Idempotency-Key": key} if key else {}
        if version is not None:
            headers["If-Match"] = f'"{version}"'
        return self._answer("POST", path, json=body, headers=headers)

    def patch(self, path: str, body: Mapping[str, Any], etag: str) -> dict[str, Any]:
        """Change something that has not changed since it had this ETag; raises Refused."""
        return self._answer("PATCH", path, json=body, headers={"If-Match": etag})

    def etag(self, path: str) -> str:
        """The ETag of what is at `path`; raises Refused."""
        response = self._session.get(f"{self._url}/{path}", timeout=_TIMEOUT)
        if not response.ok:
            raise Refused(f"GET {path}", response)
        return str(response.headers["ETag"])

    def delete(self, path: str) -> None:
        """End something; raises Refused."""
        self._answer("DELETE", path)

    def upload(self, path: str, name: str, content: bytes) -> dict[str, Any]:
        """Send a file; raises Refused."""
        return self._answer("POST", path, files={"file": (name, content)})

    def stream(self, path: str, **query: Any) -> requests.Response:
        """An open stream of server-sent events, for the caller to close."""
        return self._session.get(f"{self._url}/{path}", params=query, stream=True, timeout=60)

    def _answer(self, method: str, path: str, **options: Any) -> dict[str, Any]:
        once = method != "GET" and "Idempotency-Key" not in options.get("headers", {})
        deadline = time.monotonic() + PATIENCE
        while True:
            last = time.monotonic() > deadline
            response = self._ask(method, path, options, once or last)
            if response is not None and (last or response.status_code not in AGAIN):
                break
            pause = response.headers.get("Retry-After", 1) if response is not None else 1
            time.sleep(min(float(pause), PATIENCE))
        if not response.ok:
            raise Refused(f"{method} {path}", response)
        answer: dict[str, Any] = response.json() if response.content else {}
        return answer

    def _ask(
        self, method: str, path: str, options: Mapping[str, Any], once: bool
    ) -> requests.Response | None:
        """The answer; None when the connection was lost and one may ask again."""
        try:
            return self._session.request(method, f"{self._url}/{path}", timeout=_TIMEOUT, **options)
        except (requests.ConnectionError, requests.Timeout):
            if once:
                raise
            return None
