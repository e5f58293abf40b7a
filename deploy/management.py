"""RabbitMQ's management API, as far as the topology step needs it: what AMQP cannot say goes
through here.
"""

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, unquote, urlsplit, urlunsplit

import requests

TIMEOUT_SECONDS = 15


class ManagementError(Exception):
    """The management API refused a request; the message says which and why."""


class Management:
    """The API at `url`, which carries its user and password:
    `http://user:pass@host:port`.
    """

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._api = urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], "/api", "", ""))
        self._account = (unquote(parts.username or ""), unquote(parts.password or ""))

    def get(self, *path: str) -> Any:
        """The JSON at the path, or None where there is nothing. Path segments are escaped here."""
        answer = self._request("GET", path)
        return None if answer.status_code == 404 else answer.json()

    def put(self, *path: str, body: Mapping[str, Any] | None = None) -> None:
        """Create or overwrite what is at the path."""
        self._request("PUT", path, body or {})

    def delete(self, *path: str) -> None:
        """Remove what is at the path; nothing there is as good."""
        self._request("DELETE", path)

    def _request(
        self, method: str, path: tuple[str, ...], body: Mapping[str, Any] | None = None
    ) -> requests.Response:
        where = "/".join(quote(segment, safe="") for segment in path)
        try:
            answer = self._send(method, f"{self._api}/{where}", body)
        except requests.RequestException as error:
            # Only the kind: its text holds the address, which may hold the password.
            raise ManagementError(f"{method} /{where}: {type(error).__name__}") from None
        if answer.ok or (answer.status_code == 404 and method != "PUT"):
            return answer
        raise ManagementError(f"{method} /{where}: {answer.status_code} {_reason(answer)}")

    def _send(self, method: str, url: str, body: Mapping[str, Any] | None) -> requests.Response:
        with requests.Session() as session:
            # Else a proxy or a ~/.netrc of the environment would have its say.
            session.trust_env = False
            session.auth = self._account
            return session.request(method, url, json=body, timeout=TIMEOUT_SECONDS)


def _reason(answer: requests.Response) -> str:
    try:
        return str(answer.json()["reason"])
    except (ValueError, KeyError, TypeError):
        return str(answer.reason)
