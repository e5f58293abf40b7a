"""The migrations of a service are one line: nobody's comes beside another's. The new ones of it let
those work who use the tables meanwhile.
"""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from alembic.config import Config
from alembic.script import ScriptDirectory

from chassis import migrate
from deploy import contract_release
from deploy.databases import SERVICES


@pytest.mark.parametrize("service", SERVICES)
def test_migrations_have_one_head_and_are_numbered_in_their_order(service):
    config = Config()
    folder = Path("services") / service / "migrations"
    config.set_main_option("script_location", folder.as_posix())
    config.set_main_option("path_separator", "os")
    scripts = ScriptDirectory.from_config(config)

    numbers = [path.name.partition("_")[0] for path in sorted((folder / "versions").glob("0*.py"))]

    assert len(scripts.get_heads()) == 1
    assert numbers == [f"{number:04}" for number in range(1, len(numbers) + 1)]
    assert [script.revision for script in scripts.walk_revisions()] == numbers[::-1]


# What would stop those who use the tables, or the code of the last release, which runs beside the
# new one during an update. Squawk's rules, but for:
ELSEWHERE = {
    # the chassis sets the one for every migration, and the other would cut backfills short;
    "require-lock-timeout",
    "require-statement-timeout",
    # Alembic repeats nothing that is done;
    "prefer-robust-stmts",
    # what a table is made of is for whoever makes it to say.
    "prefer-identity",
    "prefer-bigint-over-int",
}
GOING = {"ban-drop-column", "ban-drop-table", "ban-drop-constraint", "ban-drop-not-null"}
"""What is refused unless the migration says with `contracts = "0007"` which released one had the
code stop using it.
"""
ALONE = re.compile(r"(CREATE|DROP) INDEX CONCURRENTLY|-- in batches:")
HOUSEKEEPING = re.compile(r"BEGIN|COMMIT|SET lock_timeout|UPDATE alembic_version|--|\Z")
RELEASED = contract_release.last()["migrations"]


def faults(sql, excluded=()):
    """What is wrong with the statements of one migration."""
    told = squawk(sql, {*ELSEWHERE, *excluded})
    lines = [line.strip() for line in re.sub(r"--(?! in batches:).*", "", sql).split(";")]
    if any(re.match("(UPDATE|DELETE)(?!.*alembic_version)", line) for line in lines):
        told.append("all rows at once: use chassis.migrate.backfill")
    work = [line for line in lines if not HOUSEKEEPING.match(line) or ALONE.match(line)]
    if ALONE.search(sql) and not all(map(ALONE.match, work)):
        told.append("in no transaction beside what needs one: two migrations")
    return told


def squawk(sql, excluded):
    """The names of the rules that https://squawkhq.com finds broken."""
    program = Path(sys.executable).with_name("squawk")
    command = [program, "--pg-version=15", "--reporter=json", f"--exclude={','.join(excluded)}"]
    done = subprocess.run(command, input=sql, capture_output=True, text=True, check=False)
    return [found["rule_name"] for found in json.loads(done.stdout or "[]")]


@pytest.mark.parametrize("service", SERVICES)
def test_a_migration_since_the_last_release_lets_old_and_new_code_run_side_by_side(service):
    package, revision = f"services.{service}", RELEASED[service]
    for script in migrate.since(package, revision):
        going = GOING if getattr(script.module, "contracts", "9999") <= revision else ()

        told = faults(migrate.sql(package, script.down_revision, script.revision), going)

        assert told == [], (script.path, "see docs/howto/change-the-schema.md")


@pytest.mark.parametrize(
    ("statement", "rule"),
    [
        ("ALTER TABLE t ADD COLUMN a int NOT NULL", "adding-required-field"),
        ("ALTER TABLE t ADD COLUMN a timestamptz DEFAULT clock_timestamp()", "adding-field-with"),
        ("ALTER TABLE t RENAME COLUMN a TO b", "renaming-column"),
        ("ALTER TABLE t RENAME TO u", "renaming-table"),
        ("ALTER TABLE t ALTER COLUMN a TYPE bigint", "changing-column-type"),
        ("ALTER TABLE t ALTER COLUMN a SET NOT NULL", "adding-not-nullable-field"),
        ("ALTER TABLE t ADD CHECK (a > 1)", "constraint-missing-not-valid"),
        ("ALTER TABLE t ADD UNIQUE (a)", "disallowed-unique-constraint"),
        ("ALTER TABLE t ADD FOREIGN KEY (a) REFERENCES u (a)", "adding-foreign-key-constraint"),
        ("ALTER TABLE t DROP COLUMN a", "ban-drop-column"),
        ("DROP TABLE t", "ban-drop-table"),
        ("CREATE INDEX i ON t (a)", "require-concurrent-index-creation"),
        ("DROP INDEX i", "require-concurrent-index-deletion"),
        ("UPDATE t SET a = 1", "all rows at once"),
        ("DELETE FROM t", "all rows at once"),
        ("CREATE INDEX CONCURRENTLY i ON t (a); CREATE TABLE u (a int)", "in no transaction"),
        ("-- in batches: UPDATE t SET a = 1;\nALTER TABLE t ADD b int", "in no transaction"),
    ],
)
def test_what_would_stop_somebody_is_refused(statement, rule):
    told = faults(f"BEGIN;\n{statement};\nUPDATE alembic_version SET version_num='2';\nCOMMIT;")

    assert any(name.startswith(rule) for name in told), told


@pytest.mark.parametrize(
    "statement",
    [
        "ALTER TABLE t ADD COLUMN a int",
        "ALTER TABLE t ADD COLUMN a jsonb DEFAULT '{}' NOT NULL",
        "CREATE TABLE t (a int); CREATE INDEX i ON t (a)",
        "ALTER TABLE t ADD CONSTRAINT a_known CHECK (a IS NOT NULL) NOT VALID",
        "ALTER TABLE t VALIDATE CONSTRAINT a_known",
        "COMMIT; SET lock_timeout = 0; CREATE INDEX CONCURRENTLY i ON t (a); BEGIN",
        "-- in batches: UPDATE t SET a = 1",
    ],
)
def test_what_stops_nobody_is_not(statement):
    assert faults(f"BEGIN;\n{statement};\nCOMMIT;") == []
