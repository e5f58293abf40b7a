"""The repository tells its own story, and tells it true."""

import re
import subprocess
from functools import cache
from itertools import pairwise
from pathlib import Path

import pytest

READMES = [Path("README.md"), Path("README.zh-CN.md")]
PAGES = [*READMES, *sorted(Path("docs").rglob("*.md")), *sorted(Path("services").glob("*/*.md"))]
MAKEFILE = Path("Makefile").read_text(encoding="utf-8")
_LINK = re.compile(r"\]\(([^)#:\s]+)(?:#[^)]*)?\)")
# Whole words: the digests of lock files hold any letters.
UNFINISHED = re.compile(r"(?<![\w+/])(?:TODO|FIXME|XXX)(?![\w+/=])")
MACHINE = re.compile(r"(?<![\w.}])/(?:root|home/\w+|Users/\w+|work)/")
REGISTRY = re.compile(
    r"(?:https?://|index-url|registry)[^\s\"']*(?:pypi|npmjs|registry\.|/simple|verdaccio|nexus)",
    re.IGNORECASE,
)


@cache
def tracked():
    """Every text file that git keeps, but for this one, which says what must be nowhere."""
    listed = subprocess.run(["git", "ls-files", "-z"], capture_output=True, text=True, check=True)
    paths = [
        Path(name)
        for name in listed.stdout.split("\0")
        if name and Path(name).exists() and Path(name).name != "test_story.py"
    ]
    return {path: path.read_text(encoding="utf-8") for path in paths}


def found(pattern):
    """Where a pattern is found: `file:line`."""
    return [
        f"{path}:{number}"
        for path, text in tracked().items()
        for number, line in enumerate(text.splitlines(), start=1)
        if pattern.search(line)
    ]


def test_nothing_is_left_unfinished():
    assert found(UNFINISHED) == []


def test_no_file_names_a_folder_of_somebodys_machine():
    assert found(MACHINE) == []


def test_no_file_names_a_package_registry():
    assert found(REGISTRY) == []


def test_make_help_lists_every_target():
    phony = MAKEFILE.partition(".PHONY:")[2].partition("\n\n")[0].replace("\\\n", " ").split()
    said = subprocess.run(["make", "help"], capture_output=True, text=True, check=True).stdout
    # Steps of other targets, nothing that one would ask for.
    steps = {"venv", "dev"}
    explained = re.findall(r"^([a-z][a-z0-9 -]*):.*## (.+)$", MAKEFILE, re.MULTILINE)

    assert {target for targets, _ in explained for target in targets.split()} == {*phony} - steps
    for targets, text in explained:
        assert text in said, targets
        assert all(re.search(rf"\b{target}\b", said) for target in targets.split())


@pytest.mark.parametrize("page", READMES, ids=str)
def test_a_readme_begins_with_the_two_commands(page):
    first = re.search(r"^```sh\n(.*?)^```", page.read_text("utf-8"), re.MULTILINE | re.DOTALL)
    commands = [line.partition("#")[0].strip() for line in first[1].splitlines()]

    assert commands == ["make up", "make test"]


def test_filing_a_ticket_is_followed_through_five_files_that_import_each_other():
    page = Path("docs/architecture.md").read_text(encoding="utf-8")
    told = page.partition("To follow filing a ticket by reading:")[2].partition(". ")[0]
    path = [Path(name) for name in re.findall(r"`([\w/]+\.py)`", told)]

    assert path[0] == Path("services/tickets/service.py")
    assert len(path) <= 5
    for caller, called in pairwise(path):
        assert re.search(rf"import .*\b{called.stem}\b|\.{called.stem} import", caller.read_text())


@pytest.mark.parametrize("page", PAGES, ids=str)
def test_every_link_leads_somewhere(page):
    links = _LINK.findall(page.read_text("utf-8"))

    assert [link for link in links if not (page.parent / link).exists()] == []


def test_every_page_of_docs_is_linked_from_another():
    linked = {
        (page.parent / link).resolve()
        for page in PAGES
        for link in _LINK.findall(page.read_text("utf-8"))
    }
    folders = {target for target in linked if target.is_dir()}

    lonely = [
        page
        for page in PAGES
        if page.parts[0] == "docs"
        and page.resolve() not in linked
        and not any(page.resolve().is_relative_to(folder) for folder in folders)
    ]
    assert lonely == []
