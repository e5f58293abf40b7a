"""What an operator does from a shell to a system that runs: looks at it, lets people in and
out.
"""

import json
import subprocess
import sys

import pytest

from chassis.testing import eventually
from deploy.local import places
from tests.stack.clients import Client

PASSWORD = "correct horse battery staple"


@pytest.fixture
def linli(stack):
    """Runs the command with the operator's environment, changed as told; the result."""

    def run(*arguments, given="", **variables):
        return subprocess.run(
            [sys.executable, "-m", "deploy.cli", *arguments],
            env={**stack.environment.of_operator(), **variables},
            cwd=places.ROOT,
            input=given,
            capture_output=True,
            text=True,
            check=False,
        )

    return run


@pytest.fixture
def told(linli):
    """Runs a command that must succeed; its JSON answer."""

    def run(*arguments, **options):
        done = linli(*arguments, "--json", **options)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    return run


def findings(done, *levels):
    return {
        (each["what"], each["says"])
        for each in json.loads(done.stdout)["findings"]
        if each["level"] in levels
    }


def sign_in(stack, login, password):
    return Client(stack.ready["url"]).post("sessions", {"login": login, "password": password})


def test_a_system_that_is_well_is_found_so(linli, stack):
    done = linli("doctor", "--json")

    assert findings(done, "bad", "away") == set(), done.stdout
    assert done.returncode == 0
    whats = {each["what"] for each in json.loads(done.stdout)["findings"]}
    assert {"database residents", "outbox", "keys", "feed", "service gateway", "queues"} <= whats


def test_the_doctor_says_which_service_is_away_and_who_reads_no_queue(linli, stack):
    stack.stop("notifications")
    try:
        done = eventually(
            lambda: (
                (found := linli("doctor", "--json")).returncode == 3
                and "nobody reads" in found.stdout
                and found
            ),
            within=60,
        )
    finally:
        stack.restart("notifications")

    assert ("service notifications", "does not answer: ConnectionError") in findings(done, "away")


def test_the_doctor_tells_wrong_keys_a_talkative_log_and_a_server_that_is_not_there(linli, stack):
    other = stack.environment["LINLI_MASTER_KEYS"][:-8] + "AAAAAAA="
    nowhere = "postgresql://x:a-password@127.0.0.1:1/x"
    done = linli("doctor", "--json", LINLI_MASTER_KEYS=other, LINLI_DATABASE_URL_TICKETS=nowhere)

    assert done.returncode == 3
    assert "open 0 of" in done.stdout
    assert "database tickets" in {what for what, _ in findings(done, "away")}
    assert "a-password" not in done.stdout + done.stderr


def test_the_outboxes_are_looked_at(told):
    outboxes = told("outbox", "status")["outboxes"]

    assert [each["service"] for each in outboxes] == ["residents", "tickets"]
    assert all(each["relay_active"] and each["well"] for each in outboxes)


def test_an_outbox_without_a_relay_is_not_well(linli, stack):
    stack.stop("tickets")
    try:
        done = eventually(lambda: (found := linli("outbox", "status")).returncode == 1 and found)
    finally:
        stack.restart("tickets")

    assert "tickets: nothing waits, NO RELAY IS ACTIVE" in done.stdout


def test_an_administrator_is_made_locked_out_and_let_in_again_without_the_gateway(
    linli, told, stack, tmp_path
):
    login, file = "second.administrator", tmp_path / "password"
    file.write_text(f"{PASSWORD}\n")
    stack.stop("gateway")
    try:
        made = told("users", "add-administrator", "--login", login, "--password-file", str(file))
    finally:
        stack.restart("gateway")

    opened = sign_in(stack, login, PASSWORD)
    assert opened.json()["actor"]["id"] == made["person"]
    told("users", "reset-password", login, "--yes", given="another long password\n")
    client = Client(stack.ready["url"], opened.json()["token"])
    assert client.get("sessions/current").status_code == 401
    assert sign_in(stack, login, PASSWORD).status_code == 401
    assert sign_in(stack, login, "another long password").ok
    assert told("users", "sign-out", login, "--yes")["sessions_ended"] == 1
    told("users", "disable", login, "--yes")
    assert sign_in(stack, login, "another long password").status_code == 401


def test_the_last_administrator_is_not_disabled(linli, stack):
    login = stack.ready["sign_ins"]["administrator"]["login"]

    done = linli("users", "disable", login, "--yes")

    assert done.returncode == 1
    assert "make another administrator first" in done.stderr
    assert sign_in(stack, **stack.ready["sign_ins"]["administrator"]).ok


@pytest.mark.parametrize(
    "arguments", [("sign-out", "nobody.there", "--yes"), ("disable", "nobody.there", "--yes")]
)
def test_an_unknown_login_is_refused(linli, arguments):
    done = linli("users", *arguments)

    assert (done.returncode, done.stderr) == (1, "linli: Nobody has this login.\n")


def test_a_short_password_is_refused_and_no_command_takes_one_as_an_argument(linli):
    done = linli("users", "add-administrator", "--login", "third", given="short\n")

    assert done.returncode == 1
    assert "at least 8 characters" in done.stderr
    assert linli("users", "add-administrator", "--login", "x", "--password", "y").returncode == 2


def test_somebody_gets_a_login_a_duty_and_a_key_and_loses_them(linli, told, stack, community):
    admin = community.staff("administrator")
    person = admin.make("residents", {"name": "Zhao Min", "phone": "13811110001"})["id"]
    told("users", "add", "--login", "zhao.min", "--person", person, LINLI_PASSWORD=PASSWORD)
    given = ("--role", "department_clerk", "--department", "water", "--from", "2026-01-01")
    duty = told("duties", "add", "--person", person, *given)
    assert [each["id"] for each in told("duties", "list", "--person", person)["duties"]] == [
        duty["id"]
    ]
    key = told(
        *("api-keys", "create", "--name", "drill", "--person", person, "--scope", "tickets:read")
    )
    program = Client(stack.ready["url"], key["token"])
    assert program.get("sessions/current").ok
    users = {each["login"]: each for each in told("users", "list")["users"]}
    assert users["zhao.min"]["person"] == person
    assert "Zhao Min" not in json.dumps(users)

    assert told("duties", "end", duty["id"], "--to", "2026-02-01", "--yes")["to"] == "2026-02-01"
    told("api-keys", "revoke", key["id"], "--yes")
    assert program.get("sessions/current").status_code == 401
    assert key["id"] not in {each["id"] for each in told("api-keys", "list")["api_keys"]}


def test_what_the_api_refuses_is_refused(linli, community):
    nobody = "01890a5d-ac96-774b-bcce-b302099a8057"
    given = ("--role", "clerk", "--area", "340603008002", "--from", "2026-01-01")

    done = linli("duties", "add", "--person", nobody, *given)

    assert done.returncode == 1


def test_without_the_gateway_what_needs_it_says_so(linli):
    done = linli("api-keys", "list", LINLI_URL="http://127.0.0.1:1")

    assert done.returncode == 3
    assert "the gateway does not answer" in done.stderr
