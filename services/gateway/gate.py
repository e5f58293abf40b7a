"""What every request passes: the settings and this replica's rate counters, as one dependency."""

from dataclasses import dataclass
from typing import Any

from nameko.extensions import DependencyProvider

from services.gateway.limits import RateLimits
from services.gateway.settings import GatewaySettings


@dataclass(frozen=True)
class Passage:
    """What an entrypoint gets as `self.gate`."""

    settings: GatewaySettings
    limits: RateLimits


class Gate(DependencyProvider):  # type: ignore[misc]
    """Makes the counters once for the process."""

    def setup(self) -> None:
        settings: GatewaySettings = self.container.config["settings"]
        self._passage = Passage(settings, RateLimits(settings.rates()))

    def get_dependency(self, _worker_ctx: Any) -> Passage:
        return self._passage
