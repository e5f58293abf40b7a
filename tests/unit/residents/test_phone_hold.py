"""How long a new number waits is a setting, within what is known of it."""

import base64

import pytest

from chassis.settings import SettingsError
from services.residents.settings import ResidentsSettings

KEY = base64.b64encode(bytes(range(32))).decode()
MUST = {
    "LINLI_AMQP_URI": "amqp://linli@127.0.0.1/linli",
    "LINLI_DATABASE_URL_RESIDENTS": "postgresql://linli@127.0.0.1/residents",
    "LINLI_MASTER_KEYS": f"k1:{KEY}",
    "LINLI_BLIND_INDEX_KEY": KEY,
}


def hours(told=None):
    more = {} if told is None else {"LINLI_PHONE_HOLD_HOURS": told}
    return ResidentsSettings.load("residents", {**MUST, **more}).phone_hold_hours


def test_a_number_waits_a_day_unless_it_is_said_otherwise():
    assert (hours(), hours("0"), hours("1.5"), hours("72")) == (24, 0, 1.5, 72)


@pytest.mark.parametrize("told", ["-1", "72.5", "nan", "inf", "a day"])
def test_longer_than_a_change_is_kept_nothing_waits(told):
    with pytest.raises(SettingsError, match="LINLI_PHONE_HOLD_HOURS"):
        hours(told)
