"""Whoever keeps the register, and so the numbers that people sign in by, becomes nobody by it."""

import itertools

import pytest

from chassis.testing import eventually
from tests.integration.gateway.town import BUILDING, COMMUNITY

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


def test_a_clerk_still_corrects_a_resident_s_phone(town):
    told = {"name": "吴强", "phone": next(PHONES), "area": BUILDING}
    person, phone = town.clerk.make("residents", told)["id"], next(PHONES)

    assert town.clerk.patch(f"residents/{person}", {"phone": phone}).ok
    assert town.sign_in(phone)["actor"]["id"] == person


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
