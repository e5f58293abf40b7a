"""Phone numbers, ID numbers and names in one spelling."""

import traceback
from contextlib import suppress
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stdnum.cn import ric

from services.residents import identifiers
from services.residents.identifiers import MalformedEmail, MalformedIdNumber, MalformedPhone


@pytest.mark.parametrize(
    "text",
    [
        "13800131234",
        " 138 0013 1234 ",
        "138-0013-1234",
        "+86 138 0013 1234",
        "+8613800131234",
        "008613800131234",
        "１３８００１３１２３４",
    ],
)
def test_every_spelling_of_a_mobile_number_is_the_same_number(text):
    assert identifiers.phone(text) == "+8613800131234"


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("0561-3012345", "+865613012345"),
        ("+852 9123 4567", "+85291234567"),
        ("+1 (202) 555-0123", "+12025550123"),
    ],
)
def test_landlines_and_numbers_from_elsewhere_are_numbers_too(text, number):
    assert identifiers.phone(text) == number


@pytest.mark.parametrize(
    "text",
    [
        "",
        "110",
        "12345",
        "1380013123",
        "138001312345",
        "10800131234",
        "1-800-FLOWERS",
        "13800131234 ext 5",
        "13800131234;ext=5",
        "tel:13800131234",
        "13800131234\n13800131235",
        "+",
        "++8613800131234",
        "\x00",
        "9" * 400,
    ],
)
def test_what_is_no_phone_number_is_refused(text):
    with pytest.raises(MalformedPhone):
        identifiers.phone(text)


@given(st.text(max_size=40))
def test_any_text_is_either_a_phone_number_or_refused(text):
    with suppress(MalformedPhone):
        assert identifiers.phone(identifiers.phone(text)) == identifiers.phone(text)


@pytest.mark.parametrize("text", ["1380013123", "+999 13800131234", "00013800131234"])
def test_a_refusal_does_not_repeat_the_number(text):
    with pytest.raises(MalformedPhone) as refused:
        identifiers.phone(text)

    assert text not in "".join(traceback.format_exception(refused.value, chain=True))


@given(st.dates(date(1900, 1, 1), date(2026, 12, 31)), st.integers(0, 999))
def test_an_id_number_with_its_check_digit_is_accepted_in_either_case(born, order):
    number = with_check_digit(f"340603{born:%Y%m%d}{order:03}")

    assert identifiers.id_number(number.lower()) == number


@given(st.dates(date(1900, 1, 1), date(2026, 12, 31)), st.integers(0, 16), st.integers(1, 9))
def test_an_id_number_with_one_wrong_digit_is_refused(born, position, by):
    number = with_check_digit(f"340603{born:%Y%m%d}001")
    wrong = str((int(number[position]) + by) % 10)

    with pytest.raises(MalformedIdNumber):
        identifiers.id_number(number[:position] + wrong + number[position + 1 :])


def test_someone_born_before_their_county_was_numbered_has_a_number_all_the_same():
    number = with_check_digit("34060319500101001")

    assert identifiers.id_number(number) == number


def with_check_digit(body):
    return body + ric.calc_check_digit(body + "0")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "11010519491231002",
        "110105194912310021",
        "11010519491331002X",
        "110105491231002",
        "11010519491231002X9",
        "X1010519491231002X",
        "１１０１０５19491231002Y",
    ],
)
def test_what_is_no_id_number_is_refused(text):
    with pytest.raises(MalformedIdNumber):
        identifiers.id_number(text)


def test_an_id_number_loses_its_spaces_and_gains_an_upper_case_x():
    assert identifiers.id_number(" 110105 19491231 002x") == "11010519491231002X"


def test_a_name_is_looked_for_without_regard_to_width_case_and_spaces():
    assert identifiers.name("ＡＮＮＡ  Li") == identifiers.name("annali")
    assert identifiers.name("王 小明") == identifiers.name("王小明")


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        (" Wang.Fang@Example.ORG ", "Wang.Fang@example.org"),
        ("10001@qq.com", "10001@qq.com"),
        ("ｗａｎｇ@example.org", "wang@example.org"),
        ("o'neil+linli@mail.example.co.uk", "o'neil+linli@mail.example.co.uk"),
    ],
)
def test_an_e_mail_address_keeps_its_spelling_but_for_its_domain(text, kept):
    assert identifiers.email(text) == kept


@pytest.mark.parametrize(
    "text",
    [
        "",
        "wang",
        "wang@",
        "@example.org",
        "wang@localhost",
        "wang@-example.org",
        "wang@example..org",
        "wang@exa mple.org",
        "a@example.org,b@example.org",
        "wang@example.org\nBcc: all@example.org",
        "<wang@example.org>",
        "王@example.org",
        "w" * 65 + "@example.org",
        "w@" + ".".join(["example" * 8] * 5) + ".org",
    ],
)
def test_what_is_no_e_mail_address_is_refused(text):
    with pytest.raises(MalformedEmail):
        identifiers.email(text)
