"""`preferences`: what a person hears of, and how."""

from typing import Any

from services.gateway.api.capability import Capability
from services.gateway.exchange import Ask
from services.gateway.operation import operation
from services.gateway.schemas import preferences as schemas


class Preferences(Capability):
    """Everybody chooses for themselves."""

    @operation(
        "GET",
        "/preferences",
        policy="preferences.read",
        answer=schemas.Preferences,
        errors=("403 no_inbox",),
    )
    def get_preferences(self, ask: Ask) -> Any:
        """What one hears of by which channels, one's quiet hours and digest."""
        return ask.of(self.notifications).get_preferences({})

    @operation(
        "PATCH",
        "/preferences",
        policy="preferences.write",
        body=schemas.PreferenceChange,
        answer=schemas.Preferences,
        if_match="whole",
        errors=("403 no_inbox",),
    )
    def change_preferences(self, ask: Ask) -> Any:
        """Change what one hears of, and how."""
        notifications = ask.of(self.notifications)
        ask.compare(lambda: notifications.get_preferences({}))
        return notifications.change_preferences(ask.command())
