"""A phone number that was taken from a resident opens nothing any more, and keeps nothing open; it
is told so, and a new one waits.
"""

from chassis.testing import eventually
from tests.stack.clients import CODE

HOME = "340603008002.e1.g1.b1.u1"


def amend(community, resident, phone):
    path = f"residents/{resident}"
    answer = community.staff("staff").request("PATCH", path, json={"phone": phone})
    assert answer.ok, answer.text


def code_for(community, phone):
    def codes():
        return [found[0] for text in community.texts(phone) if (found := CODE.search(text))]

    before = len(codes())
    assert community.anonymous.post("sessions/codes", {"phone": phone}).status_code == 202
    eventually(lambda: len(codes()) > before)
    return codes()[-1]


def sign_in(community, phone, code):
    return community.anonymous.post("sessions", {"phone": phone, "code": code})


def register(community, phone, name="钱多"):
    person = {"name": name, "phone": phone, "area": HOME}
    return community.staff("staff").make("residents", person)["id"]


def test_a_number_that_is_taken_ends_its_sessions_and_signs_nobody_in(community):
    phone, new = "13911100001", "13911100002"
    person = register(community, phone)
    resident = community.resident(phone)
    assert resident.id == person
    code = code_for(community, phone)

    amend(community, person, new)

    eventually(lambda: resident.get("sessions/current").status_code == 401)
    refused = sign_in(community, phone, code)
    assert (refused.status_code, refused.json()["type"]) == (403, "/problems/phone_withdrawn")
    again = sign_in(community, phone, code_for(community, phone))
    assert again.status_code == 403


def test_the_number_before_is_told_and_the_new_one_signs_nobody_in_today(community):
    phone, new = "13911100004", "13911100005"
    person = register(community, phone)

    amend(community, person, new)

    told = eventually(lambda: [text for text in community.texts(phone) if "139****0005" in text])
    assert len(told) == 1
    waits = sign_in(community, new, code_for(community, new))
    assert (waits.status_code, waits.json()["type"]) == (403, "/problems/phone_on_hold")
    seen = {"person": person, "purpose": "phone_changed", "state": "delivered"}
    log = community.administrators_key
    eventually(lambda: len(log.read("deliveries", params=seen)["items"]) == 1)
    amend(community, person, phone)
    assert sign_in(community, phone, code_for(community, phone)).json()["actor"]["id"] == person


def test_a_number_given_to_somebody_else_signs_in_them_and_not_whose_it_was(community):
    phone = "13911100003"
    first = register(community, phone)
    resident = community.resident(phone)
    amend(community, first, None)
    eventually(lambda: resident.get("tickets").status_code == 401)

    second = register(community, phone, "孙新")

    opened = sign_in(community, phone, code_for(community, phone))
    assert opened.json()["actor"]["id"] == second != first
