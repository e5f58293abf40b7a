"""Tickets over HTTP: filing, moves, versions, lists and comments."""

import pytest

from chassis.testing import eventually
from tests.integration.gateway.town import BUILDING, COMMUNITY, request

MOVES = {
    "acceptance": {},
    "refusal": {"reason": "not ours"},
    "assignment": {"department": "water"},
    "work": {},
    "send-back": {"reason": "not ours"},
    "resolution": {"summary": "mended"},
}


@pytest.fixture
def assigned(town):
    """A ticket that the water company was given."""
    accepted = town.clerk.move(town.file(town.resident), "acceptance")
    return town.clerk.move(accepted, "assignment", {"department": "water"})


def test_a_request_goes_round_and_its_reporter_is_told(town):
    filed = town.file(town.resident)
    accepted = town.clerk.move(filed, "acceptance")
    assigned = town.clerk.move(accepted, "assignment", {"department": "water", "note": "call"})
    started = town.water_clerk.move(assigned, "work")
    resolved = town.water_clerk.move(started, "resolution", {"summary": "mended"})
    closed = town.resident.move(resolved, "follow-up", {"solved": "yes", "satisfied": "yes"})

    states = [it["state"] for it in (filed, accepted, assigned, started, resolved, closed)]
    assert states == ["filed", "accepted", "assigned", "in_progress", "resolved", "closed"]
    eventually(lambda: purposes(town, filed) >= {"ticket_filed", "ticket_resolved"})


def purposes(town, ticket):
    items = town.resident.get("inbox?limit=200").json()["items"]
    return {item["purpose"] for item in items if item["ticket"] == ticket["id"]}


def test_filing_answers_where_the_ticket_is_and_which_version(town):
    answer = town.resident.post("tickets", request())
    ticket = answer.json()

    assert answer.status_code == 201
    assert answer.headers["Location"] == f"/api/v1/tickets/{ticket['id']}"
    assert answer.headers["ETag"].startswith('"1-')
    assert town.resident.get(f"tickets/{ticket['id']}").headers["ETag"] == answer.headers["ETag"]
    assert town.resident.get(f"tickets/{ticket['number']}").json() == ticket


def test_what_has_not_changed_is_not_sent_again(town):
    path = f"tickets/{town.file(town.resident)['id']}"
    etag = town.resident.get(path).headers["ETag"]

    same = town.resident.get(path, headers={"If-None-Match": etag})
    other = town.resident.get(path, headers={"If-None-Match": '"1-0"'})

    assert (same.status_code, same.content, same.headers["ETag"]) == (304, b"", etag)
    assert other.status_code == 200


@pytest.mark.parametrize("move", MOVES)
def test_a_move_without_the_version_is_428_and_with_an_old_one_412(town, move):
    ticket = town.clerk.move(town.file(town.resident), "acceptance")
    if move in ("work", "send-back", "assignment"):
        ticket = town.clerk.move(ticket, "assignment", {"department": "water"})
    mover = town.water_clerk if move in ("work", "send-back") else town.clerk
    path, body = f"tickets/{ticket['id']}/{move}", MOVES[move]

    without = mover.post(path, body)
    stale = mover.post(path, body, headers={"If-Match": '"1-x"'})

    assert (without.status_code, stale.status_code) == (428, 412)
    assert stale.json()["version"] == ticket["version"]


def test_a_comment_does_not_make_a_move_stale(town):
    ticket = town.file(town.resident)
    town.resident.make(f"tickets/{ticket['id']}/comments", {"text": "still leaking"})

    assert town.clerk.move(ticket, "acceptance")["state"] == "accepted"


def test_an_illegal_move_says_from_where_and_which(town):
    ticket = town.file(town.resident)
    town.clerk.move(ticket, "refusal", {"reason": "not ours"})

    refused = town.clerk.post(f"tickets/{ticket['id']}/acceptance", headers={"If-Match": '"2-x"'})

    assert refused.status_code == 409
    assert refused.json()["type"] == "/problems/illegal_move"
    assert (refused.json()["from"], refused.json()["move"]) == ("refused", "acceptance")


def test_somebody_elses_ticket_is_not_there_for_a_neighbour(town):
    ticket = town.file(town.resident)
    path = f"tickets/{ticket['id']}"

    seen = [
        town.neighbour.get(path),
        town.neighbour.get(f"{path}/history"),
        town.neighbour.get(f"{path}/comments"),
        town.neighbour.post(f"{path}/comments", {"text": "me too"}),
        town.neighbour.post(f"{path}/withdrawal", {"reason": "no"}),
        town.neighbour.post(f"{path}/acceptance", headers={"If-Match": '"1-x"'}),
        town.neighbour.patch(path, {"title": "x"}, headers={"If-Match": "*"}),
        town.roads_clerk.get(path),
        town.nobody.get(path),
    ]

    assert {answer.status_code for answer in seen} == {404}


def test_a_public_ticket_is_there_for_all_without_persons(town):
    ticket = town.file(town.resident, visibility="public")

    seen = town.nobody.get(f"tickets/{ticket['id']}").json()

    assert seen["description"] == ticket["description"]
    assert seen["reporter"] is seen["filed_by"] is None
    assert seen["moves"] == []


def test_an_administrator_reads_no_ticket(town):
    ticket = town.file(town.resident)

    assert town.administrator.get(f"tickets/{ticket['id']}").status_code == 404


def test_what_a_reader_may_do_is_told_with_the_ticket(town, assigned):
    path = f"tickets/{assigned['id']}"

    assert set(town.water_clerk.get(path).json()["moves"]) >= {"work", "send-back"}
    assert town.resident.get(path).json()["moves"] == ["withdrawal"]
    assert "assignment" in town.clerk.get(path).json()["moves"]


def test_a_move_that_is_not_the_readers_is_403(town, assigned):
    headers = {"If-Match": f'"{assigned["version"]}-x"'}

    refused = town.resident.post(f"tickets/{assigned['id']}/work", headers=headers)

    assert refused.status_code == 403


def test_a_correction_compares_the_whole_of_what_was_read(town):
    ticket = town.file(town.resident)
    path = f"tickets/{ticket['id']}"
    read = town.clerk.get(path).headers["ETag"]
    town.resident.make(f"{path}/comments", {"text": "still leaking"})

    without = town.clerk.patch(path, {"title": "A leak"})
    stale = town.clerk.patch(path, {"title": "A leak"}, headers={"If-Match": read})
    fresh = town.clerk.get(path).headers["ETag"]
    done = town.clerk.patch(path, {"title": "A leak"}, headers={"If-Match": fresh})

    assert (without.status_code, stale.status_code, done.status_code) == (428, 412, 200)
    assert done.json()["title"] == "A leak"
    assert done.headers["ETag"] == town.clerk.get(path).headers["ETag"]


def test_tickets_are_listed_page_by_page_while_others_are_filed(town):
    mine = [town.file(town.neighbour)["id"] for _ in range(5)]
    seen, path = [], "tickets?limit=2&sort=-filed_at"
    while path:
        answer = town.neighbour.get(path)
        seen += [ticket["id"] for ticket in answer.json()["items"]]
        town.file(town.neighbour)
        path = answer.links.get("next", {}).get("url")

    assert set(mine) <= set(seen)
    assert len(seen) == len(set(seen))


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("state=assigned", True),
        ("state=filed,assigned", True),
        ("state=filed", False),
        ("department=water", True),
        ("department=roads", False),
        (f"area={COMMUNITY}", True),
        (f"area={BUILDING}", True),
        (f"area={COMMUNITY}.e2", False),
        ("category=water", True),
        ("category=roads", False),
        ("channel=page", True),
        ("kind=request", True),
    ],
)
def test_tickets_are_filtered(town, assigned, query, found):
    listed = town.clerk.get(f"tickets?limit=200&{query}").json()["items"]

    assert (assigned["id"] in {ticket["id"] for ticket in listed}) == found


def test_a_list_shows_only_what_its_reader_may_see(town):
    private = town.file(town.resident)

    for reader in (town.neighbour, town.nobody, town.roads_clerk, town.administrator):
        listed = reader.get("tickets?limit=200").json()["items"]
        assert private["id"] not in {ticket["id"] for ticket in listed}


def test_internal_comments_are_for_staff(town):
    path = f"tickets/{town.file(town.resident)['id']}/comments"
    town.clerk.make(path, {"text": "he calls every day", "visibility": "internal"})
    town.clerk.make(path, {"text": "we are on it"})

    def texts(reader):
        return [comment["text"] for comment in reader.get(path).json()["items"]]

    assert texts(town.clerk) == ["he calls every day", "we are on it"]
    assert texts(town.resident) == ["we are on it"]
    refused = town.resident.post(path, {"text": "x", "visibility": "internal"})
    assert refused.status_code == 403


def test_history_tells_when_who_from_to_and_why(town):
    ticket = town.file(town.resident)
    town.clerk.move(ticket, "refusal", {"reason": "not ours", "refer_to": "12345"})

    filing, refusal = town.resident.get(f"tickets/{ticket['id']}/history").json()["items"]

    assert (filing["from"], filing["to"]) == (None, "filed")
    assert (refusal["from"], refusal["to"], refusal["reason"]) == ("filed", "refused", "not ours")
    assert refusal["by"] == {"id": town.ids["clerk"], "kind": "person"}


def test_a_grid_worker_files_for_somebody_by_phone_and_it_is_accepted(town):
    reporter = {"name": "王芳", "phone": "13800000001"}

    ticket = town.file(town.grid_worker, reporter=reporter, channel="home_visit")

    assert ticket["reporter"] == town.ids["resident"]
    assert ticket["state"] == "accepted"
    assert town.resident.get(f"tickets/{ticket['id']}").ok


def test_a_resident_does_not_file_for_somebody_else(town):
    refused = town.resident.post("tickets", request(reporter={"resident": town.ids["neighbour"]}))

    assert refused.status_code == 403


def test_somebody_without_a_session_files_with_and_without_a_phone(town):
    unnamed = town.file(town.nobody)
    by_phone = town.file(town.nobody, reporter={"phone": "13800000001"})

    assert unnamed["reporter"] is None
    assert town.resident.get(f"tickets/{by_phone['id']}").ok
    assert town.nobody.get(f"tickets/{unnamed['id']}").status_code == 404


def test_somebody_without_a_session_names_no_resident_by_id(town):
    refused = town.nobody.post("tickets", request(reporter={"resident": town.ids["resident"]}))

    assert refused.status_code == 403


def test_nobody_without_a_session_has_one_phone_ring_all_day(town):
    body = {"reporter": {"phone": "13900000099"}}

    answers = [town.nobody.post("tickets", request(**body)) for _ in range(11)]

    assert {answer.status_code for answer in answers[:10]} == {201}
    assert answers[10].status_code == 429
    assert int(answers[10].headers["Retry-After"]) > 0


def test_the_categorys_department_and_the_nearest_grid_worker_are_suggested(town):
    ticket = town.file(town.resident)

    suggestion = town.clerk.get(f"tickets/{ticket['id']}/suggestion").json()

    assert suggestion["department"]["code"] == "water"
    assert suggestion["grid_worker"]["person"] == town.ids["grid_worker"]
    assert town.resident.get(f"tickets/{ticket['id']}/suggestion").status_code == 403


def test_a_message_is_marked_as_read_by_its_owner_only(town):
    town.file(town.resident)
    message = eventually(lambda: town.resident.get("inbox?unread=true").json()["items"])[0]

    foreign = town.neighbour.patch(f"inbox/{message['id']}", {"read": True})
    read = town.resident.patch(f"inbox/{message['id']}", {"read": True})

    assert foreign.status_code == 404
    assert read.json()["read_at"]
    assert town.resident.patch("inbox/x", {"read": True}).status_code == 404
    assert town.key({"department": "water"}, "inbox:read").get("inbox").status_code == 403
