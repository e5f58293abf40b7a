"""Codes, passwords, sessions and API keys, over HTTP."""

from uuid import uuid4

import pytest

from chassis.testing import eventually
from tests.integration.gateway.town import ADMINISTRATOR, COMMUNITY, request

PHONES = (f"139{number:08d}" for number in range(10_000_001, 10_001_000))


@pytest.fixture
def phone():
    """A phone that nobody has used."""
    return next(PHONES)


def asked(town, phone):
    """The code that a phone was sent."""
    before = len(town.texts(phone))
    assert town.nobody.post("sessions/codes", {"phone": phone}).status_code == 202
    return town.code(phone, before)


def another(code):
    return f"{(int(code) + 1) % 1_000_000:06d}"


def test_whoever_signs_in_by_phone_for_the_first_time_becomes_known(town, phone):
    first, second = town.sign_in(phone), town.sign_in(f"+86 {phone}")

    assert first["actor"]["kind"] == "person"
    assert first["actor"]["roles"] == [{"role": "resident"}]
    assert second["actor"]["id"] == first["actor"]["id"]
    assert second["token"] != first["token"]


def test_a_code_opens_one_session_only(town, phone):
    code = asked(town, phone)
    town.nobody.make("sessions", {"phone": phone, "code": code})

    again = town.nobody.post("sessions", {"phone": phone, "code": code})

    assert again.status_code == 401
    assert again.json()["type"] == "/problems/wrong_credentials"
    assert again.headers["WWW-Authenticate"] == "Bearer"


def test_a_sign_in_whose_answer_was_lost_can_be_sent_again(town, phone):
    body = {"phone": phone, "code": asked(town, phone)}
    key = {"Idempotency-Key": str(uuid4())}
    lost = town.nobody.make("sessions", body, headers=key)

    found = town.nobody.make("sessions", body, headers=key)

    assert found["id"] == lost["id"]
    assert town.client(found["token"]).get("sessions/current").ok
    assert town.client(lost["token"]).get("sessions/current").status_code == 401


def test_after_five_wrong_tries_a_code_is_good_no_longer(town, phone):
    code = asked(town, phone)
    for _ in range(5):
        wrong = {"phone": phone, "code": another(code)}
        assert town.nobody.post("sessions", wrong).status_code == 401

    assert town.nobody.post("sessions", {"phone": phone, "code": code}).status_code == 401


def test_a_code_belongs_to_its_phone(town, phone):
    code = asked(town, phone)

    stolen = town.nobody.post("sessions", {"phone": next(PHONES), "code": code})

    assert stolen.status_code == 401


def test_asking_for_a_code_tells_nothing_of_who_is_known(town, phone):
    known = town.nobody.post("sessions/codes", {"phone": "13800000001"})
    unknown = town.nobody.post("sessions/codes", {"phone": phone})

    assert (known.status_code, known.json()) == (unknown.status_code, unknown.json())


def test_no_phone_and_no_code_is_kept(town, session, phone):
    code = asked(town, phone)

    rows = session.connection().exec_driver_sql("SELECT * FROM sign_in_codes").all()

    assert phone not in str(rows)
    assert code.encode() not in b"".join(bytes(value) for row in rows for value in row[1:3])


def test_an_administrator_signs_in_with_a_password(town):
    login, password = ADMINISTRATOR

    opened = town.nobody.make("sessions", {"login": login.upper(), "password": password})

    assert {"role": "administrator"} in opened["actor"]["roles"]


def test_staff_have_the_roles_of_their_duties(town):
    actor = town.clerk.get("sessions/current").json()["actor"]

    assert actor["roles"] == [{"role": "clerk", "area": COMMUNITY}, {"role": "resident"}]
    assert actor["name"] == "Staff clerk"


def test_a_wrong_password_and_an_unknown_login_are_told_alike(town):
    wrong = town.nobody.post("sessions", {"login": "clerk.login", "password": "wrong"})
    unknown = town.nobody.post("sessions", {"login": "nobody.here", "password": "wrong"})
    told = [{**answer.json(), "request_id": None} for answer in (wrong, unknown)]

    assert wrong.status_code == unknown.status_code == 401
    assert told[0] == told[1]


@pytest.mark.parametrize("login", ["roads_clerk.login", "ghost.login"])
def test_too_many_wrong_passwords_lock_a_login_whether_it_exists_or_not(town, login):
    body = {"login": login, "password": "wrong"}
    for _ in range(5):
        assert town.nobody.post("sessions", body).status_code == 401

    locked = town.nobody.post("sessions", {**body, "password": f"password of {login[:-6]}"})

    assert locked.status_code == 429
    assert locked.json()["type"] == "/problems/sign_in_locked"
    assert 0 < int(locked.headers["Retry-After"]) <= 30


def test_a_person_sees_and_ends_their_sessions(town, phone):
    first, second = (town.sign_in(phone) for _ in range(2))
    here = town.client(second["token"])

    listed = here.get("sessions").json()["items"]
    ended = here.delete(f"sessions/{first['id']}")

    assert [(item["id"], item["current"]) for item in listed] == [
        (second["id"], True),
        (first["id"], False),
    ]
    assert ended.status_code == 204
    assert town.client(first["token"]).get("sessions/current").status_code == 401
    assert here.delete("sessions/current").status_code == 204
    assert here.get("sessions/current").status_code == 401


def test_nobody_ends_somebody_elses_session(town, phone):
    mine = town.sign_in(phone)

    assert town.neighbour.delete(f"sessions/{mine['id']}").status_code == 404
    assert town.client(mine["token"]).get("sessions/current").ok


@pytest.mark.parametrize("path", ["01a20165-9d6a-7483-bde6-a9e23fc436be", "not-an-id"])
def test_an_unknown_session_is_not_found(town, path):
    assert town.clerk.delete(f"sessions/{path}").status_code == 404


@pytest.mark.parametrize("token", ["lls_x", "llk_x", "x", "é"])
def test_a_token_that_is_none_is_refused_also_where_none_is_needed(town, token):
    refused = town.client().get(
        "categories", headers={"Authorization": f"Bearer {token}".encode("latin-1")}
    )

    assert refused.status_code == 401
    assert refused.json()["type"] == "/problems/token_invalid"


def test_another_scheme_is_refused(town):
    refused = town.client().get("categories", headers={"Authorization": "Basic eDp5"})

    assert refused.status_code == 401


def test_a_key_acts_as_its_owner_narrowed_by_its_scopes(town):
    key = town.key({"person": town.ids["clerk"]}, "tickets:read")
    ticket = town.file(town.resident)

    read = key.get(f"tickets/{ticket['id']}")
    moved = key.post(f"tickets/{ticket['id']}/acceptance", headers={"If-Match": '"1-x"'})

    assert read.ok
    assert read.json()["moves"] == []
    assert moved.status_code == 403
    assert key.post("tickets", request()).status_code == 403
    assert key.get("categories").ok


def test_a_departments_key_sees_what_concerns_the_department_and_no_more(town):
    key = town.key({"department": "water"}, "tickets:read", "tickets:write", "events:read")
    theirs = town.clerk.move(
        town.clerk.move(town.file(town.resident), "acceptance"),
        "assignment",
        {"department": "water"},
    )
    others = town.file(town.resident)

    assert key.get("sessions/current").json()["actor"]["kind"] == "department"
    assert key.move(key.get(f"tickets/{theirs['id']}").json(), "work")["state"] == "in_progress"
    assert key.get(f"tickets/{others['id']}").status_code == 404


def test_a_revoked_key_opens_nothing(town):
    body = {"name": "x", "owner": {"department": "water"}, "scopes": ["tickets:read"]}
    made = town.administrator.make("api-keys", body)

    assert town.administrator.delete(f"api-keys/{made['id']}").status_code == 204
    assert town.client(made["token"]).get("tickets").status_code == 401
    assert town.administrator.get(f"api-keys/{made['id']}").status_code == 404


def test_a_keys_token_is_told_once(town):
    body = {"name": "x", "owner": {"department": "water"}, "scopes": ["tickets:read"]}
    made = town.administrator.make("api-keys", body)

    assert "token" not in town.administrator.get(f"api-keys/{made['id']}").json()
    assert made["token"] not in town.administrator.get("api-keys").text


def test_making_a_key_again_gives_the_same_key_a_new_token(town):
    body = {"name": "x", "owner": {"department": "water"}, "scopes": ["tickets:read"]}
    header = {"Idempotency-Key": str(uuid4())}

    lost, found = (town.administrator.make("api-keys", body, headers=header) for _ in range(2))
    other = town.administrator.post("api-keys", {**body, "name": "y"}, headers=header)

    assert lost["id"] == found["id"]
    assert town.client(found["token"]).get("tickets").ok
    assert town.client(lost["token"]).get("tickets").status_code == 401
    assert other.status_code == 422


def test_keys_are_listed_page_by_page(town):
    for name in ("one", "two", "three"):
        town.key({"department": "roads"}, "tickets:read")
        assert name
    page = town.administrator.get("api-keys?limit=2")

    rest = town.administrator.get(f"api-keys?limit=200&after={page.json()['next']}").json()

    assert len(page.json()["items"]) == 2
    assert 'rel="next"' in page.headers["Link"]
    assert not {item["id"] for item in page.json()["items"]} & {
        item["id"] for item in rest["items"]
    }
    assert town.administrator.get("api-keys?after=x").status_code == 422


@pytest.mark.parametrize(
    "owner", [{"department": "nowhere"}, {"person": "01a20149-d4ed-70ec-90a1-6119fac49435"}]
)
def test_a_key_needs_an_owner_that_is_known(town, owner):
    body = {"name": "x", "owner": owner, "scopes": ["tickets:read"]}

    refused = town.administrator.post("api-keys", body)

    assert refused.status_code == 422
    assert refused.json()["errors"][0]["pointer"].startswith("/owner/")


@pytest.mark.parametrize("who", ["resident", "clerk", "secretary", "water_clerk"])
def test_only_administrators_make_keys_and_accounts(town, who):
    body = {"name": "x", "owner": {"department": "water"}, "scopes": ["import"]}
    account = {"person": town.ids["clerk"], "login": "mine", "password": "long enough"}

    assert town.people[who].post("api-keys", body).status_code == 403
    assert town.people[who].post("accounts", account).status_code == 403


def test_a_login_belongs_to_one_account(town):
    body = {"person": town.ids["clerk"], "login": "CLERK.login", "password": "long enough"}

    taken = town.administrator.post("accounts", body)

    assert taken.status_code == 409
    assert taken.json()["type"] == "/problems/login_taken"


def test_a_duty_that_ends_takes_its_role_along(town):
    admin = town.administrator
    person = admin.make("residents", {"name": "Short"})["id"]
    account = {"person": person, "login": "short.login", "password": "long enough"}
    admin.make("accounts", account)
    duty = {"person": person, "role": "clerk", "area": COMMUNITY, "from": "2026-01-01"}
    made = admin.make("duties", duty)
    del account["person"]
    client = town.client(town.nobody.make("sessions", account)["token"])
    eventually(lambda: client.get("duties").ok)

    admin.patch(f"duties/{made['id']}", {"to": "2026-01-31"})

    eventually(lambda: client.get("duties").status_code == 403)
