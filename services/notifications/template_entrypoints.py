"""Templates on the surface of notifications: read, edited, tried, and what was shipped again."""

from typing import Any

from chassis.clock import now
from chassis.rpc import rpc
from services.notifications import schemas, templates
from services.notifications.access import require_administrator


class Templates:
    """Each method raises Forbidden for who does not administer them."""

    db: Any
    call: Any
    texts: Any

    @rpc
    def list_templates(self, query: dict[str, Any]) -> dict[str, Any]:
        """Every template there is. `query`: Nothing."""
        schemas.Nothing().load(query)
        require_administrator(self.call, "templates.read")
        with self.db.read() as session:
            return {"items": templates.entries(session), "next": None}

    @rpc
    def get_template(self, query: dict[str, Any]) -> dict[str, Any]:
        """A template as it holds, as it was shipped, and its versions; raises UnknownTemplate."""
        wanted = schemas.TemplateRef().load(query)
        require_administrator(self.call, "templates.read")
        with self.db.read() as session:
            return templates.read(session, self.texts, templates.key_of(wanted))

    @rpc
    def edit_template(self, command: dict[str, Any]) -> dict[str, Any]:
        """Let a template say something else. `command`: EditTemplate; raises UnknownTemplate,
        Invalid.
        """
        wanted = schemas.EditTemplate().load(command)
        return self._write_template(wanted, wanted["parts"])

    @rpc
    def revert_template(self, command: dict[str, Any]) -> dict[str, Any]:
        """Let a template say what was shipped again; raises UnknownTemplate."""
        return self._write_template(schemas.TemplateRef().load(command), None)

    @rpc
    def preview_template(self, query: dict[str, Any]) -> dict[str, Any]:
        """What a template would say, on samples. `query`: EditTemplate; raises UnknownTemplate,
        Invalid.
        """
        wanted = schemas.EditTemplate().load(query)
        require_administrator(self.call, "templates.read")
        return templates.preview(templates.key_of(wanted), wanted["parts"])

    def _write_template(
        self, wanted: dict[str, Any], parts: dict[str, str] | None
    ) -> dict[str, Any]:
        require_administrator(self.call, "templates.write")
        key = templates.key_of(wanted)
        with self.db.transaction() as session:
            templates.write(session, key, parts, self.call.actor.id, now())
            return templates.read(session, self.texts, key)
