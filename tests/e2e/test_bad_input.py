"""What is refused, and how: always problem details that name the field and give nothing away."""

import uuid

import pytest

from tests.stack.clients import Client, filing, new_key

MEGABYTE = 1024 * 1024
INTERNALS = ("Traceback", "psycopg", "sqlalchemy", "SELECT", "INSERT", "services.", "chassis")


def problem_of(answer, status, code):
    """The problem of an answer that refuses."""
    assert answer.status_code == status, (answer.status_code, answer.text)
    assert answer.headers["Content-Type"] == "application/problem+json"
    problem = answer.json()
    assert problem["type"] == f"/problems/{code}"
    assert problem["status"] == status
    assert all(problem[member] for member in ("title", "detail", "request_id"))
    assert not [word for word in INTERNALS if word in answer.text]
    return problem


def pointers(problem):
    """The fields at fault."""
    return {error["pointer"] for error in problem["errors"]}


def send(client, data, content_type="application/json", path="tickets"):
    """POST a body as it is."""
    headers = {"Content-Type": content_type}
    return client.request("POST", path, data=data, headers=headers)


def test_a_body_over_the_limit_is_refused_unread(community):
    answer = community.resident().post("tickets", filing(description="x" * 3 * MEGABYTE))

    problem_of(answer, 413, "too_large")


@pytest.mark.parametrize("body", [b"{", b"[1,", b'{"a": NaN}', b'{"a":1,"a":2}', b"\xff\xfe", b""])
def test_broken_json_is_refused(community, body):
    answer = send(community.resident(), body)

    assert answer.status_code in (400, 422), answer.text
    if body:
        problem_of(answer, 400, "broken_json")


@pytest.mark.parametrize("content_type", ["text/plain", "application/xml", "multipart/form-data"])
def test_another_media_type_is_refused(community, content_type):
    problem_of(send(community.resident(), b"{}", content_type), 415, "wrong_media_type")


def test_unknown_fields_are_refused_by_name(community):
    answer = community.resident().post("tickets", filing(colour="red"))

    assert pointers(problem_of(answer, 422, "invalid")) == {"/colour"}


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("kind", "wish"),
        ("category", "no.such"),
        ("description", ""),
        ("description", "x" * 5001),
        ("description", None),
        ("description", "half \ud800 a pair"),
        ("description", "nul \x00"),
        ("area", "340603008002.e99"),
        ("channel", "pigeon"),
        ("visibility", "secret"),
        ("priority", "very"),
    ],
)
def test_a_field_at_fault_is_named(community, field, value):
    answer = community.resident().post("tickets", filing(**{field: value}))

    assert pointers(problem_of(answer, 422, "invalid")) == {f"/{field}"}


@pytest.mark.parametrize("missing", ["category", "description", "area"])
def test_a_missing_field_is_named(community, missing):
    body = filing()
    del body[missing]

    problem = problem_of(community.resident().post("tickets", body), 422, "invalid")

    assert {"pointer": f"/{missing}", "code": "required"}.items() <= problem["errors"][0].items()


@pytest.mark.parametrize(
    "unknown", ["01a20165-9d6a-7483-bde6-a9e23fc436be", "20200101-999999", "nonsense"]
)
def test_an_unknown_ticket_is_not_found(community, unknown):
    answer = community.staff("staff").get(f"tickets/{unknown}")

    assert answer.status_code == 404
    assert answer.headers["Content-Type"] == "application/problem+json"


@pytest.mark.parametrize("path", ["", "/history", "/comments"])
def test_other_peoples_tickets_are_not_found(community, path):
    ticket = community.resident().file(visibility="private")
    neighbour, roads = community.resident("13800000002"), community.staff("roads")

    for stranger in (neighbour, roads):
        problem_of(stranger.get(f"tickets/{ticket['id']}{path}"), 404, "unknown_ticket")
    assert community.anonymous.get(f"tickets/{ticket['id']}{path}").status_code in (401, 404)


def test_moving_other_peoples_tickets_is_not_found(community):
    ticket = community.resident().file(visibility="private")
    neighbour = community.resident("13800000002")

    answer = neighbour.post(f"tickets/{ticket['id']}/withdrawal", {"reason": "mine"})

    problem_of(answer, 404, "unknown_ticket")


def test_a_resident_may_not_do_what_is_staffs(community):
    ticket = community.resident().file()

    answer = community.resident().post(
        f"tickets/{ticket['id']}/acceptance", {}, version=ticket["version"]
    )

    problem_of(answer, 403, "forbidden")


def test_a_move_without_if_match_is_refused(community):
    ticket = community.resident().file()

    answer = community.staff("staff").post(f"tickets/{ticket['id']}/acceptance", {})

    problem_of(answer, 428, "precondition_required")


def test_a_move_of_a_version_that_is_gone_is_refused(community):
    ticket = community.resident().file()
    community.staff("staff").move(ticket, "acceptance")

    answer = community.staff("staff").post(
        f"tickets/{ticket['id']}/refusal", {"reason": "no"}, version=ticket["version"]
    )

    problem_of(answer, 412, "stale")


def test_a_key_is_good_for_one_body_only(community):
    key = new_key()
    community.resident().make("tickets", filing(), key=key)

    answer = community.resident().post("tickets", filing(), key=key)

    problem_of(answer, 422, "idempotency_key_reused")


@pytest.mark.parametrize("key", ["x" * 256, "white space"])
def test_a_malformed_key_is_refused(community, key):
    answer = community.resident().post("tickets", filing(), key=key)

    problem_of(answer, 422, "idempotency_key_malformed")


def test_asking_for_codes_again_and_again_is_limited(stack):
    # How many are too many is a setting, which is known of our own stack only.
    with Client(stack.ready["url"]) as somebody:
        asked = [somebody.post("sessions/codes", {"phone": "13800009999"}) for _ in range(25)]

    refused = [answer for answer in asked if answer.status_code != 202]
    assert refused
    problem_of(refused[0], 429, "too_many_codes")
    assert int(refused[0].headers["Retry-After"]) > 0


def test_a_token_that_is_none_is_refused(community):
    answer = community.anonymous.get("tickets", headers={"Authorization": "Bearer nonsense"})

    problem_of(answer, 401, "token_invalid")
    assert "WWW-Authenticate" in answer.headers


def test_a_problem_speaks_its_readers_language(community):
    answer = community.resident().get(
        f"tickets/{uuid.uuid4()}", headers={"Accept-Language": "zh-CN"}
    )

    assert answer.headers["Content-Language"] == "zh-CN"
    assert any("\u4e00" <= letter <= "\u9fff" for letter in answer.json()["detail"])
