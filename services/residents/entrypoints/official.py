"""What residents answers about the official areas of the country."""

from typing import Any

from marshmallow import Schema, fields
from marshmallow.validate import Length, Range

from chassis.database import Database
from chassis.rpc import rpc
from chassis.schemas import load
from services.residents import official_areas
from services.residents.schemas import AreaCode

Json = dict[str, Any]


class SearchOfficialAreas(Schema):
    """What to look for: the beginning of a code or a name, or what a place is called for short."""

    q = fields.String(required=True, validate=Length(1, 50))
    under = AreaCode()
    limit = fields.Integer(load_default=20, validate=Range(1, 50))


class OfficialAreas:
    """Queries of the service that has this dependency; they are open to all."""

    db: Database

    @rpc
    def search_official_areas(self, query: Json) -> Json:
        """The official areas that a text may mean, those called so first."""
        wanted = load(SearchOfficialAreas, query)
        with self.db.read() as session:
            return official_areas.search(session, wanted)
