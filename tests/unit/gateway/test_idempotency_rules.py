"""Keys, scopes and what is stored; how claims meet is tested on a database."""

import pytest
from cryptography.exceptions import InvalidTag
from hypothesis import given
from hypothesis import strategies as st

from services.gateway.idempotency import KeyMalformed, Scope, body_digest, checked, is_stored

SCOPE = Scope("person 1", "POST", "/api/v1/tickets", "key")


@pytest.mark.parametrize("status", [200, 201, 202, 403, 404, 422])
def test_a_settled_answer_is_stored(status):
    assert is_stored(status)


@pytest.mark.parametrize("status", [401, 409, 412, 428, 429, 500, 502, 503, 504])
def test_an_answer_that_asks_for_another_attempt_is_not(status):
    assert not is_stored(status)


@pytest.mark.parametrize("key", ["a", "01a20149-d4ed-70ec-90a1-6119fac49435", "~" * 255])
def test_visible_ascii_is_a_good_key(key):
    assert checked(key) == key


@pytest.mark.parametrize("key", ["", " ", "a b", "键", "a\n", "~" * 256, "a\0"])
def test_anything_else_is_not(key):
    with pytest.raises(KeyMalformed):
        checked(key)


@pytest.mark.parametrize(
    "other",
    [
        Scope("person 2", "POST", "/api/v1/tickets", "key"),
        Scope("person 1", "POST", "/api/v1/areas", "key"),
        Scope("person 1", "POST", "/api/v1/tickets", "other"),
        Scope("person 1", "PUT", "/api/v1/tickets", "key"),
    ],
)
def test_another_caller_path_or_key_is_another_scope(other):
    assert other.digest() != SCOPE.digest()
    assert other.command_id() != SCOPE.command_id()


def test_the_same_request_has_the_same_command_for_ever():
    assert str(SCOPE.command_id()) == str(Scope(*vars(SCOPE).values()).command_id())
    assert SCOPE.command_id().version == 8


def test_a_sealed_answer_opens_under_its_own_key_and_secret_only():
    sealed = SCOPE.seal(b"secret", b"3-2-501")

    assert b"501" not in sealed
    assert SCOPE.open(b"secret", sealed) == b"3-2-501"
    with pytest.raises(InvalidTag):
        SCOPE.open(b"other", sealed)
    with pytest.raises(InvalidTag):
        Scope("person 1", "POST", "/api/v1/tickets", "other").open(b"secret", sealed)


def test_an_answer_that_was_stored_before_answers_were_sealed_is_given_as_it_is():
    assert SCOPE.open(b"secret", b'{"id": 1}') == b'{"id": 1}'


@given(st.text("abc"), st.text("abc"))
def test_two_keys_have_two_commands(one, other):
    first, second = (Scope("a", "POST", "/", key).command_id() for key in (one, other))

    assert (first == second) == (one == other)


def test_a_digest_of_a_body_is_useless_without_the_secret():
    assert body_digest(b"one", b"{}") != body_digest(b"two", b"{}")
