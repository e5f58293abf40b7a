"""Signatures and sealed secrets of webhooks."""

import base64
from datetime import UTC, datetime, timedelta, timezone
from uuid import uuid4

import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from chassis.clock import now
from services.notifications.webhooks import signing
from services.notifications.webhooks.sealing import Seal, SealBroken, parse_keys

# As published with the standard.
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
MESSAGE = "msg_p5jXN8AQM9LWM0D4loKWxJek"
BODY = '{"test": 2432232314}'
SIGNATURE = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
AT = datetime.fromtimestamp(1614265330, UTC)


@pytest.mark.parametrize("zone", [UTC, timezone(timedelta(hours=8)), timezone(timedelta(hours=-7))])
def test_the_published_vector_holds_in_every_time_zone(zone):
    headers = signing.headers(MESSAGE, AT.astimezone(zone), BODY, [SECRET])

    assert headers == {
        "webhook-id": MESSAGE,
        "webhook-timestamp": "1614265330",
        "webhook-signature": SIGNATURE,
    }


def test_every_live_secret_signs():
    old, new = signing.new_secret(), signing.new_secret()
    headers = signing.headers("id", now(), "{}", [new, old])

    for secret in (old, new):
        assert Webhook(secret).verify("{}", headers) == {}
    with pytest.raises(WebhookVerificationError):
        Webhook(signing.new_secret()).verify("{}", headers)


def test_a_secret_is_of_the_standard_s_size():
    secret = signing.new_secret()

    assert secret.startswith("whsec_")
    assert 24 <= len(base64.b64decode(secret.removeprefix("whsec_"))) <= 64
    assert signing.new_secret() != secret


def test_a_sealed_secret_opens_for_its_endpoint_alone():
    seal, endpoint = Seal(bytes(32)), uuid4()
    sealed = seal.close(endpoint, SECRET)

    assert SECRET.encode() not in sealed
    assert seal.open(endpoint, sealed) == SECRET
    for other, owner, text in (
        (seal, uuid4(), sealed),
        (Seal(bytes(31) + b"x"), endpoint, sealed),
        (seal, endpoint, sealed[:-1]),
        (seal, endpoint, b""),
    ):
        with pytest.raises(SealBroken):
            other.open(owner, text)


def test_the_last_of_some_keys_seals_and_all_of_them_open():
    old, new = bytes(32), bytes(31) + b"x"
    endpoint = uuid4()
    before = Seal(old).close(endpoint, SECRET)

    after = Seal(old, new).close(endpoint, SECRET)

    assert Seal(old, new).open(endpoint, before) == Seal(new).open(endpoint, after) == SECRET
    with pytest.raises(SealBroken):
        Seal(old).open(endpoint, after)


def test_keys_are_separated_by_commas_and_one_is_one():
    one, other = (base64.b64encode(bytes(31) + end).decode() for end in (b"a", b"b"))

    assert parse_keys(one) == (bytes(31) + b"a",)
    assert parse_keys(f"{one}, {other}") == (bytes(31) + b"a", bytes(31) + b"b")


@pytest.mark.parametrize("text", ["", "x", "MDEy", "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE"])
def test_a_key_is_32_bytes_in_base64(text):
    good = base64.b64encode(bytes(32)).decode()
    for wrong in (text, f"{good},{text}"):
        with pytest.raises(ValueError, match=r"bytes|base64"):
            parse_keys(wrong)
