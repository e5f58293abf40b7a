"""What the service reads from its environment."""

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
}


def load(**environ: str) -> NotificationsSettings:
    return NotificationsSettings.load("notifications", {**ENVIRON, **environ})


def test_the_defaults_make_sense_together():
    settings = load()
    round_of = -(-settings.batch // AT_ONCE) * (settings.contact_timeout + settings.sms_timeout)
    assert round_of < settings.lease
    assert round_of < settings.grace
    assert settings.sms_code_timeout < 2


def test_a_schedule_is_read_as_it_is_written():
    assert load(LINLI_SMS_RETRIES="1s 2m").schedules.provider.delays == (1, 120)


def test_residents_are_waited_for_without_end():
    assert load().schedules.waiting.endless
    assert not load().schedules.provider.endless


@pytest.mark.parametrize("name", ["LINLI_SMS_URL", "LINLI_SMS_TOKEN"])
def test_it_does_not_start_without_a_provider(name):
    environ = {key: value for key, value in ENVIRON.items() if key != name}
    with pytest.raises(SettingsError, match=name):
        NotificationsSettings.load("notifications", environ)


def test_a_malformed_schedule_is_named():
    with pytest.raises(SettingsError, match="LINLI_SMS_RETRIES"):
        load(LINLI_SMS_RETRIES="soon")


def test_the_token_is_not_shown():
    assert "something" not in repr(load()).replace(ENVIRON["LINLI_AMQP_URI"], "")


def test_every_setting_reason_and_event_stands_in_the_readme():
    ours = {item.name: item for item in fields(NotificationsSettings)}.keys() - {
        item.name for item in fields(ServiceSettings)
    }
    variables = {
        item.metadata["variable"] for item in fields(NotificationsSettings) if item.name in ours
    }
    events = {row.event.split("ticket_")[1].removesuffix(".v1") for row in TABLE} - {"commented"}
    assert [name for name in (*variables, *Reason, *events) if name not in README] == []
