"""Field encryption: what opens, what refuses to, and what never shows."""

import base64
import os
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.residents.personal import Personal
from services.residents.vault import (
    SealBroken,
    Vault,
    WrappedKey,
    parse_key,
    parse_master_keys,
)

ONE = UUID("019a0000-0000-7000-8000-000000000001")
OTHER = UUID("019a0000-0000-7000-8000-000000000002")
PHONE = Personal("+8613800131234")


def key(byte: int) -> bytes:
    return bytes([byte]) * 32


@pytest.fixture
def vault():
    return Vault({"k1": key(1), "k2": key(2)}, key(9))


def test_what_was_sealed_for_a_person_opens_with_their_stored_key(vault):
    stored, fresh = vault.new_key(ONE)
    sealed = fresh.seal("phone", PHONE)

    assert vault.open_key(ONE, stored).open("phone", sealed) == PHONE


@given(st.text(max_size=200))
def test_any_text_survives_sealing(text):
    _, fresh = Vault({"k1": key(1)}, key(9)).new_key(ONE)

    assert fresh.open("address", fresh.seal("address", Personal(text))).reveal() == text


def test_sealing_the_same_value_twice_gives_different_bytes_that_do_not_hold_it(vault):
    _, fresh = vault.new_key(ONE)

    one, other = fresh.seal("phone", PHONE), fresh.seal("phone", PHONE)

    assert one != other
    assert b"13800131234" not in one + other


@given(st.data())
def test_a_sealed_value_that_was_tampered_with_does_not_open(data):
    _, fresh = Vault({"k1": key(1)}, key(9)).new_key(ONE)
    sealed = bytearray(fresh.seal("phone", PHONE))
    sealed[data.draw(st.integers(0, len(sealed) - 1))] ^= data.draw(st.integers(1, 255))

    with pytest.raises(SealBroken):
        fresh.open("phone", bytes(sealed))


@pytest.mark.parametrize("length", [0, 1, 12, 13, 28])
def test_a_sealed_value_that_was_cut_does_not_open(vault, length):
    _, fresh = vault.new_key(ONE)

    with pytest.raises(SealBroken):
        fresh.open("phone", fresh.seal("phone", PHONE)[:length])


def test_a_value_moved_to_another_field_does_not_open(vault):
    _, fresh = vault.new_key(ONE)

    with pytest.raises(SealBroken):
        fresh.open("id_number", fresh.seal("phone", PHONE))


def test_a_value_moved_to_another_person_does_not_open(vault):
    _, ones = vault.new_key(ONE)
    _, others = vault.new_key(OTHER)

    with pytest.raises(SealBroken):
        others.open("phone", ones.seal("phone", PHONE))


def test_a_wrapped_key_moved_to_another_person_does_not_open(vault):
    stored, _ = vault.new_key(ONE)

    with pytest.raises(SealBroken):
        vault.open_key(OTHER, stored)


def test_a_wrapped_key_under_the_name_of_another_master_key_does_not_open(vault):
    stored, _ = vault.new_key(ONE)

    with pytest.raises(SealBroken):
        vault.open_key(ONE, WrappedKey("k1", stored.wrapped))


def test_a_wrapped_key_whose_master_key_is_not_here_does_not_open(vault):
    stored, _ = vault.new_key(ONE)

    with pytest.raises(SealBroken):
        Vault({"k1": key(1)}, key(9)).open_key(ONE, stored)


def test_the_last_master_key_wraps_and_the_older_ones_still_unwrap():
    stored, fresh = Vault({"k1": key(1)}, key(9)).new_key(ONE)
    sealed = fresh.seal("phone", PHONE)
    rotated = Vault({"k1": key(1), "k2": key(2)}, key(9))

    assert rotated.open_key(ONE, stored).open("phone", sealed) == PHONE
    assert rotated.new_key(ONE)[0].key_id == "k2"


def test_a_blind_index_depends_on_the_value_the_field_and_the_key(vault):
    index = vault.blind_index("phone", "+8613800131234")

    assert index == vault.blind_index("phone", "+8613800131234")
    assert len(index) == 32
    assert index != vault.blind_index("phone", "+8613800131235")
    assert index != vault.blind_index("id_number", "+8613800131234")
    assert index != Vault({"k1": key(1)}, key(8)).blind_index("phone", "+8613800131234")


def test_no_repr_shows_a_plain_value_or_a_key(vault):
    _, fresh = vault.new_key(ONE)

    for text in (repr(PHONE), str(PHONE), f"{PHONE}", f"{[PHONE]}", repr(vault), repr(fresh)):
        assert "138" not in text
        assert repr(key(2))[2:-1] not in text


def test_master_keys_are_read_in_their_order():
    encoded = base64.b64encode(key(7)).decode()

    assert parse_master_keys(f"old:{encoded}, new:{encoded}") == {"old": key(7), "new": key(7)}


@pytest.mark.parametrize(
    "text",
    ["", "k1", "k1:", ":AAAA", "k1:AAAA", "K1:" + "A" * 43 + "=", "k1:" + "§" * 44],
)
def test_malformed_master_keys_are_refused_without_being_repeated(text):
    with pytest.raises(ValueError) as refused:
        parse_master_keys(text)

    assert "AAAA" not in str(refused.value)


def test_a_key_id_that_is_used_twice_is_refused():
    encoded = base64.b64encode(os.urandom(32)).decode()

    with pytest.raises(ValueError):
        parse_master_keys(f"k1:{encoded},k1:{encoded}")


def test_a_key_of_another_length_is_refused():
    with pytest.raises(ValueError):
        parse_key(base64.b64encode(b"short").decode())
