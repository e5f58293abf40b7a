"""Every `linli` command explains itself, answers in JSON, and stands in a how-to."""

import argparse
import re
from pathlib import Path

import pytest

from deploy import cli

PAGES = "\n".join(page.read_text("utf-8") for page in sorted(Path("docs/howto").glob("*.md")))


def commands(parser, words=()):
    """Every command that can be given, by its words."""
    inner = [each for each in parser._actions if isinstance(each, argparse._SubParsersAction)]
    if not inner:
        return {" ".join(words): parser}
    found = {}
    for name, each in inner[0].choices.items():
        found |= commands(each, (*words, name))
    return found


COMMANDS = commands(cli.parser())
EVERY = pytest.mark.parametrize("name", COMMANDS)


def options(name):
    return {option for action in COMMANDS[name]._actions for option in action.option_strings}


@EVERY
def test_a_command_says_what_it_does_and_what_each_of_its_options_means(name):
    parser = COMMANDS[name]

    assert parser.description
    assert [action.dest for action in parser._actions if not action.help] == []


@EVERY
def test_a_command_answers_in_json(name):
    assert "--json" in options(name)


@EVERY
def test_a_command_stands_in_a_how_to(name):
    assert re.search(rf"\./linli {re.escape(name)}\b", PAGES)


@EVERY
def test_a_how_to_names_no_option_that_a_command_lacks(name):
    told = re.findall(rf"\./linli {re.escape(name)}\b(?! [a-z-]+ )([^`\n#]*)", PAGES)
    named = {option for line in told for option in re.findall(r"(?<!\S)--[a-z-]+", line)}

    assert named <= options(name)


def test_no_how_to_names_a_command_that_there_is_not():
    told = {match.strip() for match in re.findall(r"\./linli ((?:[a-z][a-z-]*\s?){1,2})", PAGES)}
    unknown = {
        line
        for line in told
        if not any(line == name or line.startswith(f"{name} ") for name in COMMANDS)
        and not any(name.startswith(f"{line} ") for name in COMMANDS)
    }

    assert not unknown


@pytest.mark.parametrize("verb", ["drop", "replay", "revoke", "remove-queue", "rotate"])
def test_what_takes_something_away_asks_first(verb):
    asking = {name for name in COMMANDS if name.split()[-1] == verb and "keys" not in name}

    assert asking
    assert [name for name in asking if "--yes" not in options(name)] == []


def test_the_exit_codes_are_told():
    assert "Exit codes: 0 done" in cli.parser().format_help()
