"""The README and the page for departments do what they say: their programs are run as they stand
there.
"""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import pytest

from chassis.testing import eventually
from deploy.local import debian
from tests.e2e.javascript import JAVASCRIPT

README = Path("README.md").read_text(encoding="utf-8")
CHINESE = Path("README.zh-CN.md").read_text(encoding="utf-8")
SUBSCRIBING = Path("docs/howto/subscribe-as-a-department.md").read_text(encoding="utf-8")
LISTENER = re.compile(r"`(amqp-consume [^`]+)`")
STATES = ["accepted", "assigned", "in_progress", "resolved", "closed"]


def blocks(page, language):
    """The fenced blocks of a page in one language."""
    return re.findall(rf"^```{language}\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)


def section(page, title):
    """What stands under a heading."""
    return page.partition(f"\n## {title}\n")[2].partition("\n## ")[0]


LOOP = "".join(blocks(section(README, "One request, from door to door"), "sh"))
HELPERS = blocks(section(README, "One request, from door to door"), "sh")[0]
(SUBSCRIBER,) = blocks(section(README, "A department listens"), "python")


@pytest.fixture
def checkout(ready, tmp_path):
    """A folder in which Linli runs, as far as its ready.json tells."""
    (tmp_path / ".linli").mkdir()
    (tmp_path / ".linli" / "ready.json").write_text(json.dumps(ready), encoding="utf-8")
    return tmp_path


@pytest.fixture(scope="session")
def environ(amqp_tools):
    """What a terminal of somebody's has: curl, amqp-tools, Python with pika and cloudevents."""
    trees = [amqp_tools]
    if not shutil.which("curl"):
        trees.append(debian.unpacked("curl").environment())
    paths = [str(Path(sys.executable).parent), "/usr/bin:/bin", *(tree["PATH"] for tree in trees)]
    libraries = [tree["LD_LIBRARY_PATH"] for tree in trees if "LD_LIBRARY_PATH" in tree]
    kept = {name: os.environ[name] for name in ("HOME", "LANG") if name in os.environ}
    return {
        **kept,
        "PATH": ":".join(paths),
        "LD_LIBRARY_PATH": ":".join(libraries),
        "PYTHONUNBUFFERED": "1",
    }


def shell(script, checkout, environ):
    """What a script prints; it must succeed."""
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script],
        cwd=checkout,
        env=environ,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, (done.stdout, done.stderr)
    return done.stdout


@contextmanager
def printing(command, checkout, environ):
    """A program that runs until the end; gives a function for what it has printed."""
    output = checkout / "printed"
    with output.open("wb") as file:
        process = subprocess.Popen(
            command, cwd=checkout, env=environ, stdout=file, start_new_session=True
        )
    try:
        yield output.read_text
        assert process.poll() is None, "it has ended"
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


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


def test_a_department_reads_its_events_in_javascript(checkout, environ, node):
    (program,) = blocks(SUBSCRIBING, "js")
    (checkout / "subscribe.mjs").write_text(program, encoding="utf-8")
    (checkout / "node_modules").symlink_to(JAVASCRIPT / "node_modules")

    with printing([node, "subscribe.mjs"], checkout, environ) as printed:
        shell(LOOP, checkout, environ)

        eventually(lambda: "linli.tickets.ticket_closed.v1" in printed())


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
