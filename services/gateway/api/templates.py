"""`templates`: what messages say."""

from typing import Any

from chassis.errors import NotFound
from services.gateway.api.capability import Capability
from services.gateway.exchange import Ask
from services.gateway.operation import operation
from services.gateway.schemas import templates as schemas
from services.gateway.schemas.common import list_of

_PATH = "/templates/<purpose>/<channel>/<locale>"
_UNKNOWN = (NotFound, "404 unknown_template")


class Templates(Capability):
    """Edited without a new release, and never beyond what was shipped."""

    @operation("GET", "/templates", policy="templates.read", answer=list_of(schemas.TemplateEntry))
    def list_templates(self, ask: Ask) -> Any:
        """Every template there is, by purpose, channel and language, and whether it was edited."""
        return ask.of(self.notifications).list_templates({})

    @operation("GET", _PATH, policy="templates.read", answer=schemas.Template, errors=_UNKNOWN)
    def get_template(self, ask: Ask) -> Any:
        """What a message says, what was shipped, and who edited it when."""
        return ask.of(self.notifications).get_template(ask.command())

    @operation(
        "PUT",
        _PATH,
        policy="templates.write",
        body=schemas.TemplateChange,
        answer=schemas.Template,
        if_match="whole, required",
        errors=_UNKNOWN,
    )
    def edit_template(self, ask: Ask) -> Any:
        """Let a message say something else from now on."""
        notifications = ask.of(self.notifications)
        ask.compare(lambda: notifications.get_template(dict(ask.path)), required=True)
        return notifications.edit_template(ask.command())

    @operation(
        "DELETE",
        _PATH,
        policy="templates.write",
        answer=schemas.Template,
        if_match="whole, required",
        errors=_UNKNOWN,
    )
    def revert_template(self, ask: Ask) -> Any:
        """Let a message say what was shipped again."""
        notifications = ask.of(self.notifications)
        ask.compare(lambda: notifications.get_template(dict(ask.path)), required=True)
        return notifications.revert_template(ask.command())

    @operation(
        "POST",
        f"{_PATH}/preview",
        policy="templates.read",
        body=schemas.TemplateChange,
        answer=schemas.TemplatePreview,
        errors=_UNKNOWN,
    )
    def preview_template(self, ask: Ask) -> Any:
        """What a message would say, on samples."""
        return ask.of(self.notifications).preview_template(ask.command())
