"""The programs that stand on our pages, and what it takes to run them as they stand there."""

import os
import re
import signal
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

JAVASCRIPT = Path(__file__).parent / "js"
"""Where the packages are that programs in JavaScript need."""


def page(path: str) -> str:
    """What a page says."""
    return Path(path).read_text(encoding="utf-8")


def blocks(text: str, language: str) -> list[str]:
    """The fenced blocks of a page in one language."""
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


def section(text: str, title: str) -> str:
    """What stands under a heading."""
    return text.partition(f"\n## {title}\n")[2].partition("\n## ")[0]


README = page("README.md")
LOOP = "".join(blocks(section(README, "One request, from door to door"), "sh"))
HELPERS = blocks(section(README, "One request, from door to door"), "sh")[0]


def shell(script: str, checkout: Path, environ: Mapping[str, str]) -> str:
    """What a script prints; it must succeed."""
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script],
        cwd=checkout,
        env=dict(environ),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, (done.stdout, done.stderr)
    return done.stdout


@contextmanager
def printing(
    command: Sequence[str], checkout: Path, environ: Mapping[str, str]
) -> Iterator[Callable[[], str]]:
    """A program that runs until the end; gives a function for what it has printed."""
    output = checkout / "printed"
    with output.open("wb") as file:
        process = subprocess.Popen(
            command, cwd=checkout, env=dict(environ), stdout=file, start_new_session=True
        )
    try:
        yield output.read_text
        assert process.poll() is None, "it has ended"
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
