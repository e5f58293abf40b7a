from dataclasses import FrozenInstanceError, dataclass
from pathlib import Path

import pytest

from chassis.settings import ServiceSettings, SettingsError, database_url, secret, setting

ENVIRON = {
    "LINLI_AMQP_URI": "amqp://someone:hard-to-guess@localhost/linli",
    "LINLI_DATABASE_URL_TOY": "postgresql+psycopg2://toy@localhost/toy",
    "LINLI_KEY": "kept to ourselves",
}


@dataclass(frozen=True, kw_only=True)
class ToySettings(ServiceSettings):
    key: str = secret("LINLI_KEY")
    size: int = setting("LINLI_SIZE_{SERVICE}", 3, int)


def test_settings_come_from_the_environment() -> None:
    settings = ToySettings.load("toy", {**ENVIRON, "LINLI_SIZE_TOY": "7"})

    assert settings.size == 7
    assert settings.database_url == ENVIRON["LINLI_DATABASE_URL_TOY"]


@pytest.mark.parametrize("variable", ["LINLI_KEY", "LINLI_AMQP_URI", "LINLI_DATABASE_URL_TOY"])
@pytest.mark.parametrize("value", [None, "", "change-me", "Secret"])
def test_a_missing_or_placeholder_secret_refuses_and_names_its_variable(
    variable: str, value: str | None
) -> None:
    environ = {name: text for name, text in ENVIRON.items() if name != variable}
    if value is not None:
        environ[variable] = value

    with pytest.raises(SettingsError, match=variable):
        ToySettings.load("toy", environ)


def test_a_malformed_setting_names_its_variable_and_not_its_value() -> None:
    with pytest.raises(SettingsError, match="LINLI_SIZE_TOY") as raised:
        ToySettings.load("toy", {**ENVIRON, "LINLI_SIZE_TOY": "plenty"})

    assert "plenty" not in str(raised.value)


def test_settings_cannot_be_changed_and_do_not_show_their_secrets() -> None:
    settings = ToySettings.load("toy", ENVIRON)

    with pytest.raises(FrozenInstanceError):
        settings.size = 9  # type: ignore[misc]
    assert "hard-to-guess" not in repr(settings)
    assert "kept to ourselves" not in repr(settings)


def test_a_plain_postgresql_url_gets_our_driver():
    plain = "postgresql://user:word@host:5432/linli"

    assert database_url(plain) == "postgresql+psycopg2://user:word@host:5432/linli"
    assert database_url(database_url(plain)) == database_url(plain)


@pytest.fixture
def key_file(tmp_path: Path) -> Path:
    (tmp_path / "key").write_text("kept in a file\n")
    return tmp_path / "key"


def without_key() -> dict[str, str]:
    return {name: text for name, text in ENVIRON.items() if name != "LINLI_KEY"}


def test_a_setting_may_lie_in_a_file_without_the_end_of_its_line(key_file: Path) -> None:
    environ = {**without_key(), "LINLI_KEY_FILE": str(key_file)}

    assert ToySettings.load("toy", environ).key == "kept in a file"


def test_a_placeholder_in_a_file_is_refused_as_well(key_file: Path) -> None:
    key_file.write_text("change-me\n")

    with pytest.raises(SettingsError, match="LINLI_KEY must be set"):
        ToySettings.load("toy", {**without_key(), "LINLI_KEY_FILE": str(key_file)})


def test_a_file_that_cannot_be_read_is_named_by_its_variable(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="LINLI_KEY_FILE names a file that cannot be read"):
        ToySettings.load("toy", {**without_key(), "LINLI_KEY_FILE": str(tmp_path / "none")})


def test_a_setting_that_is_given_twice_is_refused(key_file: Path) -> None:
    with pytest.raises(SettingsError, match="must not both be set"):
        ToySettings.load("toy", {**ENVIRON, "LINLI_KEY_FILE": str(key_file)})
