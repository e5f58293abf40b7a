"""Texts: what is kept of them, and what they are found by."""

import json
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.tickets import texts


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("  漏水 \n", "漏水"),
        ("a\x00b\x07c\x7f", "abc"),
        ("一\r\n二\r三", "一\n二\n三"),
        ("tab\tstays", "tab\tstays"),
        ("half a pair: \ud83d", "half a pair:"),
        ("user\u202egnp.exe", "usergnp.exe"),
        ("e\u0301", "\u00e9"),
        ("👨\u200d👩\u200d👧", "👨\u200d👩\u200d👧"),
        ("\x00\x01", ""),
    ],
)
def test_what_is_kept_of_a_text(typed: str, kept: str) -> None:
    assert texts.clean(typed) == kept


@given(st.text(alphabet=st.characters(), max_size=80))
def test_every_kept_text_can_be_stored_and_is_kept_as_it_is(typed: str) -> None:
    kept = texts.clean(typed)

    kept.encode("utf-8")
    assert "\x00" not in kept
    assert texts.clean(kept) == kept


@given(st.text(alphabet=st.characters(codec=None), max_size=40))
def test_any_text_of_json_can_be_made_findable_and_searched_for(typed: str) -> None:
    cleaned = texts.clean(json.loads(json.dumps(typed)))

    for made in (texts.findable(cleaned), texts.wanted(cleaned) or ""):
        assert "\\" not in made
        assert made.count("'") % 2 == 0


def test_a_text_is_found_by_its_neighbouring_letters_in_their_places() -> None:
    assert texts.findable("漏水了", None, "AB") == "'漏水':1 '水了':2 '了':3 'ab':4 'b':5"


@pytest.mark.parametrize(
    ("query", "wanted"),
    [
        ("漏水", "('漏水')"),
        ("楼道灯", "('楼道' <-> '道灯')"),
        ("漏", "('漏':*)"),
        ("Lamp out", "('la' <-> 'am' <-> 'mp') & ('ou' <-> 'ut')"),
        ("ＡＢ", "('ab')"),
        ("', & | ! <-> :* ()", None),
        ("", None),
    ],
)
def test_a_query_wants_each_of_its_words(query: str, wanted: str | None) -> None:
    assert texts.wanted(query) == wanted


@given(st.text(max_size=30))
def test_words_of_a_query_are_letters_and_digits_only(query: str) -> None:
    letters = (texts.wanted(query) or "").replace(" <-> ", "").replace(":*", "")
    for quoted in letters.replace(" & ", "").replace("(", "").replace(")", "").split("'"):
        assert all(unicodedata.category(character)[0] in "LNM" for character in quoted)
