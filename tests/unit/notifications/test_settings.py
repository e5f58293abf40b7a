"""What the service reads from its environment."""

import base64
from dataclasses import fields
from pathlib import Path

import pytest

from chassis.settings import ServiceSettings, SettingsError
from services.notifications import settings as module
from services.notifications.courier import AT_ONCE
from services.notifications.news import TABLE
from services.notifications.outcome import Reason
from services.notifications.settings import NotificationsSettings

README = (Path(module.__file__).parent / "README.md").read_text("utf-8")
ENVIRON = {
    "LINLI_AMQP_URI": "amqp://somebody:something@localhost",
    "LINLI_DATABASE_URL_NOTIFICATIONS": "postgresql://somebody@localhost/linli",
    "LINLI_SMS_URL": "http://localhost/messages",
    "LINLI_SMS_TOKEN": "something",
    "LINLI_WEBHOOK_KEY": base64.b64encode(bytes(range(32))).decode(),
}


def load(**environ: str) -> NotificationsSettings:
    return NotificationsSettings.load("notifications", {**ENVIRON, **environ})


def test_the_defaults_make_sense_together():
    settings = load()
    attempt = settings.contact_timeout + settings.longest_attempt
    round_of = -(-settings.batch // AT_ONCE) * attempt
    assert round_of < settings.lease
    assert round_of < settings.grace
    assert settings.sms_code_timeout < 2


def test_a_schedule_is_read_as_it_is_written():
    assert load(LINLI_SMS_RETRIES="1s 2m").schedules.provider.delays == (1, 120)


def test_residents_are_waited_for_without_end():
    assert load().schedules.waiting.endless
    assert not load().schedules.provider.endless


def test_whoever_waited_for_residents_is_told_soon_after_their_return_however_long_that_took():
    assert max(load().schedules.waiting.delays) <= 30


@pytest.mark.parametrize("name", ["LINLI_SMS_URL", "LINLI_SMS_TOKEN", "LINLI_WEBHOOK_KEY"])
def test_it_does_not_start_without_what_it_cannot_guess(name):
    environ = {key: value for key, value in ENVIRON.items() if key != name}
    with pytest.raises(SettingsError, match=name):
        NotificationsSettings.load("notifications", environ)


def test_without_a_mail_server_there_is_no_mail():
    assert load().mail_server is None


def test_a_mail_server_is_named_with_its_password_in_a_file(tmp_path):
    (tmp_path / "password").write_text("open sesame\n")
    settings = load(
        LINLI_SMTP_HOST="mail.example.org",
        LINLI_SMTP_USER="linli",
        LINLI_SMTP_PASSWORD_FILE=str(tmp_path / "password"),
        LINLI_SMTP_FROM="邻里 <linli@example.org>",
    )
    server = settings.mail_server
    assert (server.host, server.port, server.tls) == ("mail.example.org", 587, "starttls")
    assert (server.user, server.password) == ("linli", "open sesame")
    assert "sesame" not in f"{settings!r} {server!r}"


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("LINLI_SMTP_TLS", "maybe"),
        ("LINLI_SMTP_FROM", "linli"),
        ("LINLI_SMTP_PASSWORD_FILE", "/nowhere/password"),
        ("LINLI_SMTP_PORT", "smtp"),
    ],
)
def test_a_malformed_setting_of_mail_is_named(variable, value):
    with pytest.raises(SettingsError, match=variable):
        load(LINLI_SMTP_HOST="mail.example.org", **{variable: value})


def test_a_malformed_schedule_is_named():
    with pytest.raises(SettingsError, match="LINLI_SMS_RETRIES"):
        load(LINLI_SMS_RETRIES="soon")


@pytest.mark.parametrize("lease", ["10", "19.9"])
def test_a_lease_that_would_end_during_an_attempt_is_refused(lease):
    with pytest.raises(SettingsError, match=r"LINLI_WEBHOOK_LEASE .* LINLI_WEBHOOK_TIMEOUT"):
        load(LINLI_WEBHOOK_TIMEOUT="10", LINLI_WEBHOOK_LEASE=lease)

    assert load(LINLI_WEBHOOK_TIMEOUT="10", LINLI_WEBHOOK_LEASE="20").webhooks.timeout == 10


def test_the_token_is_not_shown():
    assert "something" not in repr(load()).replace(ENVIRON["LINLI_AMQP_URI"], "")


def test_every_setting_reason_and_event_stands_in_the_readme():
    ours = {item.name: item for item in fields(NotificationsSettings)}.keys() - {
        item.name for item in fields(ServiceSettings)
    }
    variables = {
        item.metadata["variable"] for item in fields(NotificationsSettings) if item.name in ours
    }
    events = {row.event.split(".")[2].partition("_")[2] for row in TABLE} - {"commented"}
    assert [name for name in (*variables, *Reason, *events) if name not in README] == []
