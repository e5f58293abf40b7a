"""Whoever keeps the register, and so the numbers that people sign in by, becomes nobody by it."""

import itertools

import pytest
from sqlalchemy import create_engine, text

from chassis.testing import eventually
from tests.integration.gateway.town import BUILDING, COMMUNITY
from tests.integration.residents.world import OPEN

PHONES = (f"137{number:08d}" for number in itertools.count(20_000_001))


@pytest.fixture
def colleague(town):
    """A secretary who lives in the community: a phone, a person's id and a signed-in client."""
    admin, phone = town.administrator, next(PHONES)
    person = admin.make("residents", {"name": "周敏", "phone": phone, "area": BUILDING})["id"]
    duty = {"person": person, "role": "secretary", "area": COMMUNITY, "from": "2026-01-01"}
    admin.make("duties", duty)
    account = {"login": f"{phone}.login", "password": "a long enough password"}
    admin.make("accounts", {"person": person, **account})
    client = town.client(town.nobody.make("sessions", account)["token"])
    eventually(lambda: client.get("care-tags").ok)
    return phone, person, client


def test_a_colleague_s_phone_is_not_changed_and_the_attempt_is_in_the_audit(town, colleague):
    phone, person, client = colleague

    refused = town.clerk.patch(f"residents/{person}", {"phone": next(PHONES)})

    assert refused.status_code == 403
    assert refused.json()["type"] == "/problems/numbers_of_staff"
    entry = client.get("audit", params={"person": person}).json()["items"][0]
    assert entry["actor"]["id"] == town.ids["clerk"]
    assert (entry["outcome"], entry["reason"]) == ("refused", "numbers_of_staff")
    assert town.sign_in(phone)["actor"]["id"] == person
    assert town.administrator.patch(f"residents/{person}", {"phone": next(PHONES)}).ok


def attempt(town, phone):
    """What is answered to whoever gives the code that the phone was sent."""
    before = len(town.texts(phone))
    assert town.nobody.post("sessions/codes", {"phone": phone}).status_code == 202
    return town.nobody.post("sessions", {"phone": phone, "code": town.code(phone, before)})


def a_day_passes(town):
    """Let all numbers have been changed a day earlier."""
    url = town.environ["LINLI_DATABASE_URL_RESIDENTS"]
    engine = create_engine(url, connect_args=OPEN)
    with engine.begin() as connection:
        earlier = "changed_at - interval '24 hours'"
        connection.execute(text(f"UPDATE phone_changes SET changed_at = {earlier}"))
    engine.dispose()


def test_a_grid_worker_still_corrects_a_resident_s_phone_and_it_signs_in_a_day_later(town):
    old, new = next(PHONES), next(PHONES)
    person = town.clerk.make("residents", {"name": "吴强", "phone": old, "area": BUILDING})["id"]

    assert town.grid_worker.patch(f"residents/{person}", {"phone": new}).ok

    [told] = eventually(lambda: town.texts(old))
    assert f"137****{new[-4:]}" in told
    refused = attempt(town, new)
    assert (refused.status_code, refused.json()["type"]) == (403, "/problems/phone_on_hold")
    assert refused.json()["works_from"][:16] in refused.json()["detail"]
    a_day_passes(town)
    opened = attempt(town, new).json()
    assert opened["actor"]["id"] == person
    [item] = town.client(opened["token"]).get("inbox").json()["items"]
    assert (item["purpose"], item["ticket"], item["number"]) == ("phone_changed", None, None)


def test_only_who_has_the_phone_learns_that_its_number_is_new(town):
    old, new, unknown = (next(PHONES) for _ in range(3))
    person = town.clerk.make("residents", {"name": "吴强", "phone": old, "area": BUILDING})["id"]
    assert town.clerk.patch(f"residents/{person}", {"phone": new}).ok

    asked, wrong = [], []
    for phone in (new, unknown):
        code = town.nobody.post("sessions/codes", {"phone": phone})
        asked.append((code.status_code, code.json()))
        guess = town.nobody.post("sessions", {"phone": phone, "code": "000000"})
        wrong.append((guess.status_code, {**guess.json(), "request_id": ""}))

    assert asked[0] == asked[1]
    assert wrong[0] == wrong[1]
    assert wrong[0][0] == 401


def test_a_number_given_back_within_the_day_signs_in_at_once(town):
    old = next(PHONES)
    person = town.clerk.make("residents", {"name": "吴强", "phone": old, "area": BUILDING})["id"]
    for phone in (next(PHONES), old):
        assert town.clerk.patch(f"residents/{person}", {"phone": phone}).ok

    assert attempt(town, old).json()["actor"]["id"] == person


def test_a_code_opens_the_session_of_a_resident_whatever_their_duties(town, colleague):
    phone, person, client = colleague

    opened = town.sign_in(phone)

    by_code = town.client(opened["token"])
    assert opened["actor"]["id"] == person
    current = by_code.get("sessions/current").json()["actor"]["roles"]
    assert opened["actor"]["roles"] == current == [{"role": "resident"}]
    for path in ("care-tags", "duties", "ledger?from=2026-01-01&to=2026-01-31"):
        assert by_code.get(path).status_code in (403, 404), path
    # By password they are what they are.
    assert client.get("care-tags").ok
