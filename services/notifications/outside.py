"""What the service has from its settings: its providers by channel, and the settings."""

from typing import Any

from nameko.extensions import DependencyProvider

from services.notifications.mail import SmtpMail
from services.notifications.news import Channel
from services.notifications.providers import HttpSms, Provider
from services.notifications.settings import NotificationsSettings


class Providers(DependencyProvider):  # type: ignore[misc]
    """Gives a worker the providers of this process, one a channel; mail is one of them when a
    server is named.
    """

    def setup(self) -> None:
        settings: NotificationsSettings = self.container.config["settings"]
        self._sms = HttpSms(settings.sms_url, settings.sms_token, settings.sms_timeout)
        self._providers: dict[Channel, Provider] = {Channel.SMS: self._sms}
        if settings.mail_server:
            self._providers[Channel.EMAIL] = SmtpMail(settings.mail_server)

    def stop(self) -> None:
        self._sms.close()

    kill = stop

    def get_dependency(self, worker_ctx: Any) -> dict[Channel, Provider]:
        return self._providers


class Settings(DependencyProvider):  # type: ignore[misc]
    """Gives a worker the settings that were read at start."""

    def get_dependency(self, worker_ctx: Any) -> NotificationsSettings:
        settings: NotificationsSettings = self.container.config["settings"]
        return settings
