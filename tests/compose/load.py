"""Residents who file and read without a pause, and note every answer that is no success."""

import threading
import uuid
from types import TracebackType
from typing import Self

import requests

from deploy.demo import community

CLIENTS = 2


class Load:
    """`with Load(url, token):` files and reads until its end. Nothing is ever sent again: an answer
    that is no 2xx, or a connection that breaks, is a failure.
    """

    def __init__(self, url: str, token: str) -> None:
        self._url, self._token = f"{url}/api/v1", token
        self._ended = threading.Event()
        self._threads = [threading.Thread(target=self._run, daemon=True) for _ in range(CLIENTS)]
        self.done = 0
        self.failed: list[str] = []

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _: BaseException | None, _at: TracebackType | None
    ) -> None:
        self._ended.set()
        for thread in self._threads:
            thread.join()

    def _run(self) -> None:
        with requests.Session() as session:
            session.trust_env = False
            session.headers["Authorization"] = f"Bearer {self._token}"
            while not self._ended.wait(0.2):
                filed = self._ask(session, "POST", "tickets", json=_request())
                if filed is not None:
                    self._ask(session, "GET", f"tickets/{filed.json()['id']}")

    def _ask(
        self, session: requests.Session, method: str, path: str, json: object = None
    ) -> requests.Response | None:
        headers = {"Idempotency-Key": str(uuid.uuid4())} if json else {}
        try:
            answer = session.request(
                method, f"{self._url}/{path}", json=json, headers=headers, timeout=15
            )
        except requests.RequestException as error:
            self.failed.append(f"{method} {path}: {error!r}")
            return None
        self.done += 1
        if not answer.ok:
            self.failed.append(f"{method} {path}: {answer.status_code} {answer.text}")
            return None
        return answer


def _request() -> dict[str, str]:
    return {
        "kind": "request",
        "category": "water.no_supply",
        "description": "从早上起没有水",
        "area": community.building(1),
        "channel": "phone",
    }
