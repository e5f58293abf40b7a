"""The README does what it says: its programs are run as they stand there."""

import re
import sys

import pytest

from chassis.testing import eventually
from tests.e2e.written import HELPERS, LOOP, README, blocks, page, printing, section, shell

CHINESE = page("README.zh-CN.md")
LISTENER = re.compile(r"`(amqp-consume [^`]+)`")
STATES = ["accepted", "assigned", "in_progress", "resolved", "closed"]
(SUBSCRIBER,) = blocks(section(README, "A department listens"), "python")


def test_a_request_goes_from_door_to_door_and_water_hears_of_it(checkout, environ):
    with printing([sys.executable, "-c", SUBSCRIBER], checkout, environ) as printed:
        said = shell(f'{LOOP}\necho; echo "ticket=$ticket"', checkout, environ)

        ticket = re.findall("^ticket=(.+)$", said, re.MULTILINE)[0]
        ours = rf"^linli\.tickets\.ticket_(\w+)\.v1 {ticket} (\w+)$"
        heard = [
            ("assigned", "assigned"),
            ("started", "in_progress"),
            ("resolved", "resolved"),
            ("rated", "resolved"),
            ("closed", "closed"),
        ]
        eventually(lambda: re.findall(ours, printed(), re.MULTILINE) == heard)

    printed_states = re.findall(rf"\b({'|'.join(STATES)})$", said, re.MULTILINE)
    assert printed_states == STATES
    lines = said.splitlines()
    assert "已办结" in lines[lines.index("resolved") + 1], "what the resident reads in her inbox"


def test_debians_amqp_consume_prints_the_events_too(checkout, environ):
    (command,) = LISTENER.findall(section(README, "A department listens"))

    with printing(["bash", "-c", f"{HELPERS}\n{command}"], checkout, environ) as printed:
        shell(LOOP, checkout, environ)

        eventually(lambda: '"type":"linli.tickets.ticket_closed.v1"' in printed())


@pytest.mark.parametrize("language", ["sh", "python"])
def test_the_chinese_readme_has_the_same_programs(language):
    spoken = re.compile(r"#.*$", re.MULTILINE)  # comments are in the language of the page
    ours, theirs = (blocks(page, language) for page in (README, CHINESE))

    assert [spoken.sub("", text) for text in theirs] == [spoken.sub("", text) for text in ours]
