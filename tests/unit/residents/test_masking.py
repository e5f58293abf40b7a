"""What of personal values may be shown."""

import phonenumbers
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from phonenumbers import PhoneNumberFormat

from services.residents import masking

MOBILES = st.integers(13_000_000_000, 19_999_999_999).map(lambda number: f"+86{number}")
ID_NUMBERS = st.from_regex(r"[1-9][0-9]{16}[0-9X]", fullmatch=True)


@pytest.mark.parametrize(
    ("phone", "masked"),
    [
        ("+8613800131234", "138****1234"),
        ("+865613012345", "056****2345"),
        ("+85291234567", "+852 ****4567"),
        ("+12025550123", "+1 ****0123"),
        ("+442079460018", "+44 020****0018"),
    ],
)
def test_a_phone_number_keeps_its_ends(phone, masked):
    assert masking.mask_phone(phone) == masked


@given(MOBILES)
def test_a_mobile_number_shows_three_digits_four_stars_and_four_digits(phone):
    masked = masking.mask_phone(phone)

    assert masked == f"{phone[3:6]}****{phone[-4:]}"


@given(st.sampled_from(sorted(phonenumbers.SUPPORTED_REGIONS)))
def test_of_any_country_s_number_at_least_four_of_the_digits_one_dials_are_hidden(region):
    number = phonenumbers.example_number(region)
    assume(number is not None)
    dialled = phonenumbers.format_number(number, PhoneNumberFormat.NATIONAL)
    masked = masking.mask_phone(phonenumbers.format_number(number, PhoneNumberFormat.E164))

    shown = digits_in(masked.split(" ")[-1])

    assert shown == 0 or digits_in(dialled) - shown >= 4


def digits_in(text):
    return sum(map(str.isdigit, text))


def test_an_id_number_keeps_its_province_and_its_last_four():
    assert masking.mask_id_number("340603198001011234") == "340***********1234"


@given(ID_NUMBERS)
def test_a_masked_id_number_tells_neither_county_nor_date_of_birth(number):
    masked = masking.mask_id_number(number)

    assert len(masked) == 18
    assert masked[3:14] == "*" * 11


@pytest.mark.parametrize(
    ("email", "masked"),
    [
        ("wang.fang@example.org", "w****@example.org"),
        ("ab@example.org", "a****@example.org"),
        ("a@example.org", "****@example.org"),
    ],
)
def test_an_e_mail_address_shows_one_character_and_its_domain(email, masked):
    assert masking.mask_email(email) == masked


@pytest.mark.parametrize(
    ("name", "masked"),
    [("王小明", "王**"), ("王明", "王**"), ("欧阳修", "欧**"), ("王", "王**"), ("Anna", "A**")],
)
def test_a_name_shows_its_first_character_and_not_its_length(name, masked):
    assert masking.mask_name(name) == masked


@given(st.text(min_size=1, max_size=50))
def test_a_masked_name_never_has_more_than_one_character_of_it(name):
    assert masking.mask_name(name) == name[0] + "**"
