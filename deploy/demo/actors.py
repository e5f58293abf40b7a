"""Everybody who acts in the month, each with an API key of their own that may date back."""

import json
import time
from collections.abc import Mapping
from pathlib import Path

from deploy.api import PATIENCE, Api
from deploy.demo.progress import Bar

KEPT = "demo.json"
SCOPES = ["tickets:read", "tickets:write", "figures:read", "events:read", "import"]


class Actors:
    """Actors by name. Their keys are kept in the home, mode 0600: a key is shown only once."""

    def __init__(self, url: str, administrator: Api, home: Path) -> None:
        self._url = url
        self._administrator = administrator
        self._path = home / KEPT
        kept = json.loads(self._path.read_text()) if self._path.exists() else {}
        self._tokens: dict[str, str] = kept.get("tokens", {})
        self._apis: dict[str, Api] = {}

    def provide(self, people: Mapping[str, str]) -> None:
        """Make keys for those who have none that is good here, and wait until their duties are
        known; `people`: person ids by actor. Raises TimeoutError.
        """
        with Bar("keys", len(people)) as bar:
            for actor, person in people.items():
                if not self._administrator.accepts(self._tokens.get(actor)):
                    body = {"name": f"demo {actor}", "owner": {"person": person}, "scopes": SCOPES}
                    self._keep(actor, self._administrator.post("api-keys", body)["token"])
                self._wait_for_roles(actor)
                bar.step()

    def _wait_for_roles(self, actor: str) -> None:
        """The gateway hears of duties by event. Reporters have none."""
        deadline = time.monotonic() + PATIENCE
        while not actor.startswith("reporter"):
            roles = self.api(actor).get("sessions/current")["actor"]["roles"]
            if any(held["role"] not in ("resident", "machine") for held in roles):
                return
            if time.monotonic() > deadline:
                raise TimeoutError(f"{actor} has no duty after {PATIENCE:.0f} s")
            time.sleep(0.2)

    def api(self, actor: str) -> Api:
        """The API as this actor sees it; raises KeyError for one who has no key."""
        if actor not in self._apis:
            self._apis[actor] = Api(self._url, self._tokens[actor])
        return self._apis[actor]

    def _keep(self, actor: str, token: str) -> None:
        self._tokens[actor] = token
        if not self._path.exists():
            self._path.touch(mode=0o600)
        self._path.write_text(json.dumps({"tokens": self._tokens}))
