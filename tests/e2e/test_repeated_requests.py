"""One Idempotency-Key, one effect, whoever sends it how often."""

from concurrent.futures import ThreadPoolExecutor

from tests.stack.clients import filing, new_key

AT_ONCE = 50


def found_by_description(community, body):
    """The ids of the tickets that a filing has made, as its area's staff see them."""
    described = community.staff("staff").items("tickets", sort="-filed_at", limit=200)
    return [ticket["id"] for ticket in described if ticket["description"] == body["description"]]


def test_fifty_posts_at_once_with_one_key_make_one_ticket(community):
    resident, body, key = community.resident(), filing(), new_key()

    def send(_):
        with resident.twin() as own:
            return own.post("tickets", body, key=key)

    with ThreadPoolExecutor(AT_ONCE) as pool:
        answers = list(pool.map(send, range(AT_ONCE)))
    again = resident.post("tickets", body, key=key)

    assert {answer.status_code for answer in answers} <= {201, 409}
    still_running = [answer.json()["type"] for answer in answers if answer.status_code == 409]
    assert set(still_running) <= {"/problems/still_running"}
    made = {answer.json()["id"] for answer in (*answers, again) if answer.status_code == 201}
    assert len(made) == 1
    assert found_by_description(community, body) == list(made)


def test_a_repeated_filing_gets_the_first_answer_again(community):
    resident, body, key = community.resident(), filing(), new_key()

    first = resident.post("tickets", body, key=key)
    second = resident.post("tickets", body, key=key)

    assert (first.status_code, second.status_code) == (201, 201)
    assert second.json() == first.json()
    for header in ("Location", "ETag"):
        assert second.headers[header] == first.headers[header]


def test_a_repeated_move_is_made_once(community):
    ticket, staff, key = community.resident().file(), community.staff("staff"), new_key()

    path = f"tickets/{ticket['id']}/acceptance"
    first = staff.post(path, {}, key=key, version=ticket["version"])
    second = staff.post(path, {}, key=key, version=ticket["version"])

    assert (first.status_code, second.status_code) == (200, 200)
    assert second.json() == first.json()
    history = staff.items(f"tickets/{ticket['id']}/history")
    assert [entry["move"] for entry in history] == ["filing", "acceptance"]


def test_two_people_may_use_the_same_key(community):
    key = new_key()

    mine = community.resident().make("tickets", filing(), key=key)
    theirs = community.resident("13800000002").make("tickets", filing(), key=key)

    assert mine["id"] != theirs["id"]
