"""What an API key gives away is no more than it has."""

from services.gateway.policy import SCOPES


def test_a_key_gives_away_no_more_than_it_has(town):
    owner = {"person": town.ids["administrator"]}
    key = town.key(owner, "api-keys:write", "residents:read", "tickets:read")
    for person in (town.ids["secretary"], town.ids["administrator"]):
        wanted = {"name": "more", "owner": {"person": person}}
        made = key.make("api-keys", {**wanted, "scopes": ["tickets:read"]})
        refused = key.post("api-keys", {**wanted, "scopes": ["tickets:read", "care-tags:read"]})

        assert town.client(made["token"]).get("sessions/current").json()["scopes"] == [
            "tickets:read"
        ]
        assert refused.status_code == 403
        assert refused.json()["type"] == "/problems/beyond_scopes"


def test_a_key_that_may_not_do_everything_opens_nobody_s_account(town):
    owner, all_but_one = {"person": town.ids["administrator"]}, set(SCOPES) - {"tickets:read"}
    account = {"person": town.ids["secretary"], "password": "long enough"}
    for number, scopes in enumerate([["accounts:write", "residents:read"], all_but_one]):
        key = town.key(owner, *scopes)
        refused = key.post("accounts", {**account, "login": f"mine{number}.login"})
        assert refused.status_code == 403
        assert refused.json()["type"] == "/problems/beyond_scopes"

    everything = town.key(owner, *SCOPES)
    assert everything.make("accounts", {**account, "login": "second.login"})["login"]
