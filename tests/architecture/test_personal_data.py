"""Every column that holds something of a person says why, on which ground and for how long."""

import re

import pytest
from sqlalchemy import LargeBinary, MetaData

from chassis.personal_data import Tag, attach
from deploy import personal_data_page
from deploy.personal_data_page import SERVICES, tagged

# What the names of columns say that hold who somebody is.
_PERSON = re.compile(
    r"person|reporter|on_behalf_of|filed_by|actor|author|assignee|accepted_by|responsible|owners?|"
    r"holders|resident|login|user_agent|created_by|used_by|phone_digest|subject|"
    r"name_index|phone_index|id_number_index|wrapped|sealed|"
    r"address|latitude|longitude|title|description|text|body"
)
# Named alike, and of nobody.
_OF_NOBODY = {
    "gateway.feed.subject": "of an event, most often a ticket",
    "gateway.feed.body": "an event: ids, codes, states and times",
    "notifications.webhook_event.subject": "of an event, most often a ticket",
    "notifications.webhook_event.body": "an event: ids, codes, states and times",
    "notifications.webhook_delivery.subject": "of an event, most often a ticket",
    "notifications.webhook_secret.sealed": "what signatures are made with",
    "gateway.sign_in_failures.login_digest": "a keyed digest of what was typed, for a day",
}


def columns(service):
    """Every column of a service's own tables, `table.column`."""
    list(tagged(service))
    from importlib import import_module

    metadata = import_module(f"services.{service}.personal_fields").METADATA
    return {
        f"{table.name}.{column.name}": column
        for table in metadata.tables.values()
        for column in table.columns
    }


@pytest.mark.parametrize("service", SERVICES)
def test_every_column_that_is_of_a_person_is_tagged(service):
    tags = dict(tagged(service))
    personal = {name for name in columns(service) if _PERSON.fullmatch(name.partition(".")[2])}

    excused = {name for name in personal if f"{service}.{name}" in _OF_NOBODY}
    assert personal - set(tags) - excused == set()


def test_everything_sealed_in_the_registry_is_tagged():
    tags = dict(tagged("residents"))
    sealed = {
        name for name, column in columns("residents").items()
        if isinstance(column.type, LargeBinary)
    }  # fmt: skip

    assert sealed - set(tags) == set()


@pytest.mark.parametrize("service", SERVICES)
def test_a_tag_says_why_on_which_ground_and_how_long(service):
    for name, tag in tagged(service):
        assert tag.purpose, name
        assert tag.basis, name
        assert tag.retention, name


@pytest.mark.parametrize("service", SERVICES)
def test_a_period_is_one_that_the_schedule_goes_by(service):
    said = {name: tag.since for name, tag in tagged(service)}

    assert [name for name, since in said.items() if re.search(r"\d", since)] == []


def test_a_tag_for_a_column_that_is_not_there_is_refused():
    with pytest.raises(KeyError):
        attach(MetaData(), {"people.name": Tag("x", "y", "z")})


def test_the_page_names_every_tagged_column():
    page = personal_data_page.page()

    assert [name for service in SERVICES for name, _ in tagged(service) if name not in page] == []
