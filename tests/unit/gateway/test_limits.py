"""Rate limits and the headers that tell of them."""

import pytest

from services.gateway.limits import RateExceeded, RateLimits
from services.gateway.settings import GatewaySettings

SETTINGS = {
    "LINLI_AMQP_URI": "amqp://x",
    "LINLI_DATABASE_URL_GATEWAY": "postgresql://x",
    "LINLI_SECRET": "x" * 40,
}


def test_requests_within_the_rate_are_counted_down():
    limits = RateLimits({"signed_in": "3/minute"})

    remaining = [limits.count("signed_in", "ann").remaining for _ in range(3)]

    assert remaining == [2, 1, 0]


def test_one_too_many_says_when_to_come_back():
    limits = RateLimits({"signed_in": "1/minute"})
    limits.count("signed_in", "ann")

    with pytest.raises(RateExceeded) as refused:
        limits.count("signed_in", "ann")

    assert 1 <= refused.value.params["retry_after"] <= 60
    assert refused.value.headers["RateLimit-Policy"] == '"signed_in";q=1;w=60'


def test_callers_do_not_use_up_each_others_rate():
    limits = RateLimits({"signed_in": "1/minute"})
    limits.count("signed_in", "ann")

    assert limits.count("signed_in", "bob").remaining == 0


def test_the_headers_follow_the_draft():
    standing = RateLimits({"signed_in": "10/minute"}).count("signed_in", "ann")

    assert standing.headers()["RateLimit-Policy"] == '"signed_in";q=10;w=60'
    assert standing.headers()["RateLimit"].startswith('"signed_in";r=9;t=')


def test_the_settings_as_they_ship_are_rates():
    settings = GatewaySettings.load("gateway", SETTINGS)

    assert RateLimits(settings.rates()).count("signed_in", "ann").remaining > 0


@pytest.mark.parametrize("secret", ["change-me", "short", ""])
def test_a_secret_that_is_none_refuses_to_start(secret):
    from chassis.settings import SettingsError

    with pytest.raises(SettingsError, match="LINLI_SECRET"):
        GatewaySettings.load("gateway", {**SETTINGS, "LINLI_SECRET": secret})
