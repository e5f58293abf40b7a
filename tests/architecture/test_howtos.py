"""The how-to pages name files that are there."""

import re
from pathlib import Path

import pytest

PAGES = sorted(Path("docs/howto").glob("*.md"))
_PATH = re.compile(r"`((?:chassis|services|deploy|tests|docs|contracts)/[\w./-]+?)/?`")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_every_file_that_a_how_to_names_is_there(page):
    named = set(_PATH.findall(page.read_text("utf-8")))
    assert [path for path in named if not Path(path).exists()] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_every_target_that_a_how_to_names_is_there(page):
    rules = re.findall(r"^([a-z][a-z0-9 -]*):", Path("Makefile").read_text("utf-8"), re.MULTILINE)
    targets = {target for rule in rules for target in rule.split()}
    named = re.findall(r"`make ([a-z0-9 -]+)`", page.read_text("utf-8"))
    assert {target for call in named for target in call.split()} <= targets


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_every_link_of_a_how_to_leads_somewhere(page):
    links = re.findall(r"\]\(([^)#:]+)\)", page.read_text("utf-8"))
    assert [link for link in links if not (page.parent / link).exists()] == []


def test_the_pages_name_files():
    assert any(_PATH.findall(page.read_text("utf-8")) for page in PAGES)
