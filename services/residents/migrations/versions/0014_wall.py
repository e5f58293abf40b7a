"""The wall (docs/adr/0022): people, households and duties show to transactions that were told of
their community, or of the person whose own they are; what is kept of a person goes by the person.

Functions that look behind the wall answer one question each. They are told what the transaction may
see, for the plans that plpgsql keeps must not know it; and where policies call them, they keep two
tables whose walls need each other from asking in a circle.
"""

from alembic import op

from chassis import walls

revision = "0014"
down_revision = "0013"

_FUNCTION = (
    "CREATE FUNCTION {} LANGUAGE plpgsql STABLE SECURITY DEFINER"
    " SET search_path = public, pg_temp AS $$ BEGIN RETURN {}; END $$"
)
_QUESTIONS = {
    # A resident sees their own household, with all in it.
    "is_home(of uuid, people uuid[]) RETURNS boolean": """
        EXISTS (SELECT FROM household_members
            WHERE household = of AND resident = ANY (people) AND ends IS NULL)
    """,
    # Who stays in a household, or did, is seen by those who see the household, wherever else they
    # are registered.
    "stayed(of uuid, places text[], people uuid[]) RETURNS boolean": """
        EXISTS (SELECT FROM household_members JOIN households ON households.id = household
            WHERE resident = of
            AND (left(tree_key, 15) = ANY (places) OR is_home(household, people)))
    """,
    "concerns(of uuid, of_at timestamptz, people uuid[]) RETURNS boolean": """
        EXISTS (SELECT FROM audit_people
            WHERE person = ANY (people) AND at = of_at AND entry = of)
    """,
}
# Where a person or a household lies, for the audit of a refusal; no row where there is none.
_PLACE = """
CREATE FUNCTION place_of(kind text, of uuid) RETURNS SETOF text LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = public, pg_temp AS $$
    SELECT area FROM residents WHERE kind = 'resident' AND id = of
    UNION ALL
    SELECT area FROM households WHERE kind = 'household' AND id = of
$$
"""
# The first 15 characters of a tree key are those of its community's.
_THERE = "left({}tree_key, 15) = ANY (wall('{}'))"
_MADE = "(cardinality(wall('command')) > 0 AND command_id = ANY (wall('command')))"
_ME = "ANY (wall_ids('person'))"


def upgrade() -> None:
    """Put the wall up."""
    walls.create_functions()
    for name, answer in _QUESTIONS.items():
        op.execute(_FUNCTION.format(name, answer))
    op.execute(_PLACE)
    _around_places()
    _around_people()
    _around_the_audit()
    _around_imports()


def _around_places() -> None:
    there = _THERE.format("", "places")
    stays = f"id = {_ME} OR stayed(id, wall('places'), wall_ids('person'))"
    walls.put_up("residents", f"{there} OR {stays} OR {_MADE}", f"{there} OR {stays}")
    home = "(cardinality(wall('person')) > 0 AND is_home(id, wall_ids('person')))"
    walls.put_up("households", f"{there} OR {home} OR {_MADE}", there)
    theirs = "department = ANY (wall('departments'))"
    person = f"person = {_ME} OR EXISTS (SELECT FROM residents WHERE residents.id = person)"
    given = f"{there} OR {theirs}"
    walls.put_up("duties", f"{given} OR {_MADE} OR {person}", given)


def _around_people() -> None:
    known = "EXISTS (SELECT FROM residents WHERE residents.id = resident)"
    walls.put_up("resident_keys", known, known)
    household = "EXISTS (SELECT FROM households WHERE households.id = household)"
    walls.put_up("household_members", f"{household} OR {_registered('resident')}", household)
    walls.put_up("consents", _registered("person"), _registered("person"))
    tagged = _registered("resident", "caring")
    walls.put_up("care_tags", tagged, tagged)


def _registered(column: str, places: str = "places") -> str:
    """Narrower than the wall around people: who once stayed in a community has told it no more."""
    there = _THERE.format("residents.", places)
    return (
        f"(EXISTS (SELECT FROM residents WHERE residents.id = {column}"
        f" AND ({there} OR residents.id = {_ME})))"
    )


def _around_the_audit() -> None:
    """Whoever acts leaves an entry where the person is that it is about."""
    about = "(cardinality(wall('about')) > 0 AND concerns(id, at, wall_ids('about')))"
    walls.put_up("audit", f"community = ANY (wall('communities')) OR {about}")
    entry = "EXISTS (SELECT FROM audit WHERE audit.id = entry)"
    walls.put_up("audit_people", f"person = ANY (wall_ids('about')) OR {entry}")


def _around_imports() -> None:
    """A file is whose import it is; the importer sees them all."""
    own = "owner = ANY (wall('actor'))"
    walls.put_up("imports", f"{own} OR kind = ANY (wall('imports'))", own)
    for table in ("import_parts", "import_faults"):
        part = "EXISTS (SELECT FROM imports WHERE imports.id = import_id)"
        walls.put_up(table, part, part)
