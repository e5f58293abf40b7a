"""What the service has from its settings: the provider of messages, and the settings."""

from typing import Any

from nameko.extensions import DependencyProvider

from services.notifications.providers import HttpSms, Provider
from services.notifications.settings import NotificationsSettings


class Sms(DependencyProvider):  # type: ignore[misc]
    """Gives a worker the one provider of short messages of this process."""

    def setup(self) -> None:
        settings: NotificationsSettings = self.container.config["settings"]
        self._provider = HttpSms(settings.sms_url, settings.sms_token, settings.sms_timeout)

    def stop(self) -> None:
        self._provider.close()

    kill = stop

    def get_dependency(self, worker_ctx: Any) -> Provider:
        return self._provider


class Settings(DependencyProvider):  # type: ignore[misc]
    """Gives a worker the settings that were read at start."""

    def get_dependency(self, worker_ctx: Any) -> NotificationsSettings:
        settings: NotificationsSettings = self.container.config["settings"]
        return settings
