"""The page for departments does what it says, in each language that it shows: strangers' clients,
run with water's own credentials.
"""

import re
import sys

import pytest

from chassis.testing import eventually
from tests.e2e.php import php, written
from tests.e2e.written import JAVASCRIPT, LOOP, blocks, page, printing, shell
from tests.stack import wire

SUBSCRIBING = page("docs/howto/subscribe-as-a-department.md")
HEARD = [("assigned", "assigned"), ("started", "in_progress"), ("resolved", "resolved")]
HEARD += [("rated", "resolved"), ("closed", "closed")]


@pytest.fixture
def play(checkout, environ):
    """Plays the README's request from door to door; its ticket's id."""

    def _play() -> str:
        said = shell(f'{LOOP}\necho; echo "ticket=$ticket"', checkout, environ)
        return re.findall("^ticket=(.+)$", said, re.MULTILINE)[0]

    return _play


def heard_of(ticket, printed):
    """The events of a ticket, each with the state it tells, as a subscriber printed them."""
    line = rf"^linli\.tickets\.ticket_(\w+)\.v1 {ticket} (\w+)$"
    return re.findall(line, printed, re.MULTILINE)


def test_a_department_reads_its_events_in_javascript(checkout, environ, node, play):
    (program,) = blocks(SUBSCRIBING, "js")
    (checkout / "subscribe.mjs").write_text(program, encoding="utf-8")
    (checkout / "node_modules").symlink_to(JAVASCRIPT / "node_modules")

    with printing([node, "subscribe.mjs"], checkout, environ) as printed:
        ticket = play()

        eventually(lambda: heard_of(ticket, printed()) == HEARD)


def test_a_department_reads_its_events_in_php(checkout, environ, play):
    (program,) = blocks(SUBSCRIBING, "php")
    interpreter = php()
    command = [*interpreter.command, written(program, checkout)]
    libraries = f"{environ['LD_LIBRARY_PATH']}:{interpreter.libraries}"

    with printing(command, checkout, {**environ, "LD_LIBRARY_PATH": libraries}) as printed:
        ticket = play()

        eventually(lambda: heard_of(ticket, printed()) == HEARD)


def test_a_department_that_was_away_goes_on_where_it_was_and_has_what_it_missed(
    checkout, environ, play, ready
):
    (program,) = blocks(SUBSCRIBING, "python")
    command = [sys.executable, "-c", program]
    with printing(command, checkout, environ) as printed:
        first = play()
        eventually(lambda: printed().count(first) == len(HEARD))
        seen = printed().splitlines()
        # What it printed and was ended before keeping, it would be told again.
        kept, place = str(int(seen[-1].split()[0]) + 1), checkout / "water.place"
        eventually(lambda: place.read_text(encoding="utf-8") == kept)

    missed = [play() for _ in range(3)]  # while it is away

    with printing(command, checkout, environ) as printed:
        eventually(lambda: printed().count(missed[-1]) == len(HEARD))
    again = printed().splitlines()
    offsets = [int(line.split()[0]) for line in [*seen, *again]]
    assert offsets == list(range(offsets[0], offsets[0] + len(offsets))), "missed, or told twice"
    ids = [line.split()[1] for line in [*seen, *again]]
    assert set(ids) == waters(ready), "its own, all of it, and nobody else's"


def test_the_departments_api_key_reads_what_an_event_speaks_of(community, play):
    ticket = community.waters_key.read(f"tickets/{play()}")

    assert ticket["department"] == "water"
    assert ticket["description"] == "三楼从早上起没有水"


def waters(ready):
    """The ids of the events that concern water, from the log of everything."""
    events = [each.event for each in wire.read_log(ready["amqp_uri"])]
    tickets = [event for event in events if event["type"].startswith("linli.tickets.")]
    return {event["id"] for event in tickets if "water" in concerned(event["data"])}


def concerned(data):
    """The departments that an event names."""
    named = [data.get("department"), data.get("previous_department")]
    return {*named, *(data.get("departments") or [])}
