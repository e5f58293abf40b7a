"""The master key changes under people who are being read; stopped half way, it goes on."""

import base64
import json

import pytest
from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from chassis import migrate
from deploy import cli, commands
from services.residents import rotation
from services.residents.models import Household, Member, ResidentKey
from services.residents.vault import SealBroken, Vault
from tests.integration.residents.world import COMMUNITY, World, a_phone

OLD, NEW, INDEX = bytes([1]) * 32, bytes([2]) * 32, bytes([9]) * 32
BOTH = Vault({"k1": OLD, "k2": NEW}, INDEX)


def encoded(key):
    return base64.b64encode(key).decode()


@pytest.fixture
def people(world):
    """Seven people and a household, all under the first key."""
    world.add_community("e1", "e1.g1", "e1.g1.b1")
    found = [world.register(phone=a_phone())["id"] for _ in range(7)]
    world.register_household(f"{COMMUNITY}.e1.g1.b1", "101")
    return found


def test_a_batch_at_a_time_everything_is_wrapped_anew_and_still_opens(world, people):
    before = {person: world.export(person)["resident"]["phone"] for person in people}

    batches = []
    while done := rotation.rewrap_some(world.session, BOTH, 3):
        batches.append(done)

    world.session.expire_all()
    assert batches == [3, 3, 1, 1]
    assert rotation.in_use(world.session) == {"k2": 8}
    world.vault = Vault({"k2": NEW}, INDEX)
    assert {person: world.export(person)["resident"]["phone"] for person in people} == before


def test_half_way_both_keys_are_needed_and_do(world, people):
    rotation.rewrap_some(world.session, BOTH, 3)
    world.session.expire_all()

    assert rotation.in_use(world.session) == {"k1": 5, "k2": 3}
    world.vault = BOTH
    assert all(world.export(person)["resident"]["phone"] for person in people)


def test_without_an_older_key_there_is_nothing_to_do(world, people):
    assert rotation.rewrap_some(world.session, world.vault, 100) == 0


def test_a_key_of_somebody_else_is_not_wrapped_anew(world, people):
    one, other = people[:2]
    stolen = world.session.get(ResidentKey, other).wrapped
    world.session.execute(
        update(ResidentKey).where(ResidentKey.resident == one).values(wrapped=stolen)
    )

    with pytest.raises(SealBroken):
        rotation.rewrap_some(world.session, BOTH, 100)


@pytest.fixture(scope="module")
def webhooks(postgres):
    """What tells an operator where the secrets of webhooks are: there are none."""
    urls = postgres.create_service_database("notifications")
    migrate.upgrade("services.notifications", urls["owner_url"], "linli_notifications")
    return {
        "LINLI_DATABASE_URL_NOTIFICATIONS": urls["app_url"],
        "LINLI_WEBHOOK_KEY": encoded(OLD),
    }


def test_it_is_interrupted_and_goes_on_where_it_stood(concurrent, webhooks, capsys):
    with Session(concurrent) as session, session.begin():
        session.execute(delete(Member))
        session.execute(delete(Household))
        people = [World(session).register(phone=a_phone())["id"] for _ in range(5)]
        everybody = rotation.in_use(session)["k1"]
    environ = {
        "LINLI_AMQP_URI": "amqp://nobody",
        "LINLI_DATABASE_URL_RESIDENTS": concurrent.url.render_as_string(hide_password=False),
        "LINLI_MASTER_KEYS": f"k1:{encoded(OLD)},k2:{encoded(NEW)}",
        "LINLI_BLIND_INDEX_KEY": encoded(INDEX),
    }

    def interrupt(done):
        if done:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        rotation.rotate(environ, interrupt, batch=2)
    heard = []
    wraps = rotation.rotate(environ, heard.append, batch=2)

    assert wraps == {"k1": 0, "k2": everybody}
    operator = {**environ, **webhooks, "LINLI_RABBITMQ_MANAGEMENT_URL": "http://nobody"}
    assert cli.main(["keys", "rotate", "--json"], operator) == commands.DONE
    assert json.loads(capsys.readouterr().out) == {
        "wraps": wraps,
        "webhook_secrets": {"newest": 0, "older": 0, "none": 0},
    }
    assert cli.main(["keys", "rotate"], operator) == commands.DONE
    assert capsys.readouterr().out.splitlines()[-2:] == [
        f"k2 wraps {everybody} data keys, older ones 0. No longer needed: k1.",
        "The newest webhook key opens 0 secrets, only an older one 0, none 0.",
    ]
    assert heard[-1] == everybody - 2
    with Session(concurrent) as session, session.begin():
        world = World(session)
        world.vault = Vault({"k2": NEW}, INDEX)
        assert all(world.export(person)["resident"]["phone"] for person in people)
        # Other tests of this database know the first key only.
        back = Vault({"k2": NEW, "k1": OLD}, INDEX)
        while rotation.rewrap_some(session, back, 100):
            pass


def test_rows_that_are_being_changed_do_not_hold_it_up(concurrent):
    with Session(concurrent) as session, session.begin():
        person = World(session).register()["id"]
    with Session(concurrent) as busy, busy.begin(), Session(concurrent) as session:
        locked = select(ResidentKey).where(ResidentKey.resident == person).with_for_update()
        busy.execute(locked).one()
        while rotation.rewrap_some(session, BOTH, 100):
            pass
        left = select(ResidentKey.resident).where(ResidentKey.key_id == "k1")

        assert [str(each) for each in session.scalars(left)] == [person]
        session.rollback()
