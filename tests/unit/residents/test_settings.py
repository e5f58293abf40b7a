"""What residents reads at start, and refuses to start with."""

import base64

import pytest

from chassis.settings import SettingsError
from services.residents.settings import ResidentsSettings

KEY = base64.b64encode(bytes(range(32))).decode()
ENVIRON = {
    "LINLI_AMQP_URI": "amqp://linli:x@127.0.0.1/linli",
    "LINLI_DATABASE_URL_RESIDENTS": "postgresql+psycopg2://linli@127.0.0.1/linli_residents",
    "LINLI_MASTER_KEYS": f"k1:{KEY},k2:{KEY}",
    "LINLI_BLIND_INDEX_KEY": KEY,
}


def test_the_keys_are_read_and_never_shown():
    settings = ResidentsSettings.load("residents", ENVIRON)

    assert list(settings.master_keys) == ["k1", "k2"]
    assert settings.blind_index_key == bytes(range(32))
    assert "key" not in repr(settings)


@pytest.mark.parametrize("variable", ["LINLI_MASTER_KEYS", "LINLI_BLIND_INDEX_KEY"])
@pytest.mark.parametrize("value", [None, "", "changeme", "k1:AAAA", "AAAA", "k1:" + KEY[:-4]])
def test_missing_placeholder_and_malformed_keys_are_refused_by_name(variable, value):
    environ = {name: text for name, text in ENVIRON.items() if name != variable}
    if value is not None:
        environ[variable] = value

    with pytest.raises(SettingsError, match=variable) as refused:
        ResidentsSettings.load("residents", environ)

    assert "AAAA" not in str(refused.value)
