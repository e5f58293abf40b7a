"""What somebody may do follows from the duties that they have today, and from nothing else."""

from datetime import timedelta

import pytest

from chassis import clock
from chassis.testing import eventually
from tests.stack.clients import Client, filing, new_key

GRID, OTHER_GRID = "340603008002.e1.g1", "340603008002.e1.g2"


class Colleague:
    """Somebody new on the staff, with a login, whose duties tests give and end."""

    def __init__(self, community):
        self._community = community
        self._administrator = community.staff("administrator")
        login = f"colleague-{new_key()}"
        person = self._administrator.make("residents", {"name": "新同事"})
        self.id = person["id"]
        account = {"login": login, "password": "a long enough password"}
        self._administrator.make("accounts", {"person": self.id, **account})
        opened = community.anonymous.make("sessions", account)
        self.client = Client(community.url, opened["token"], self.id)

    def starts(self, role, *, today=-30, **where):
        """A duty from so many days from today on; known everywhere when this returns."""
        duty = {"person": self.id, "role": role, "from": day(today), **where}
        made = self._administrator.make("duties", duty)
        if today <= 0:
            eventually(lambda: {"role": role, **where} in self.roles())
        return made

    def ends(self, duty, *, today=-1):
        """The last day of a duty, by default yesterday."""
        path = f"duties/{duty['id']}"
        answer = self._administrator.request("PATCH", path, json={"to": day(today)})
        assert answer.ok, answer.text

    def roles(self):
        return self.client.read("sessions/current")["actor"]["roles"]

    def sees(self, *tickets):
        """Which of these tickets are in the list; the others are not to be had singly either."""
        listed = {item["id"] for item in self.client.items("tickets", limit=200)}
        for ticket in tickets:
            status = self.client.get(f"tickets/{ticket['id']}").status_code
            assert status == (200 if ticket["id"] in listed else 404)
        return [ticket["id"] in listed for ticket in tickets]


def day(offset):
    return (clock.local(clock.now()).date() + timedelta(days=offset)).isoformat()


@pytest.fixture
def colleague(community):
    colleague = Colleague(community)
    yield colleague
    colleague.client.close()


def given_to(community, department):
    """A ticket that a department has."""
    staff = community.staff("staff")
    ticket = staff.move(community.resident().file(), "acceptance")
    return staff.move(ticket, "assignment", {"department": department})


def filed_in(community, grid, **fields):
    return community.resident().file(area=f"{grid}.b{1 if grid == GRID else 3}", **fields)


def test_a_clerk_of_two_departments_sees_what_both_have_and_only_this(community, colleague):
    colleague.starts("department_clerk", department="gas")
    colleague.starts("department_clerk", department="power")
    gas, power, heating = (given_to(community, code) for code in ("gas", "power", "heating"))
    nobodys = community.resident().file()

    assert colleague.sees(gas, power, heating, nobodys) == [True, True, False, False]
    only = {item["department"] for item in colleague.client.items("tickets", limit=200)}
    assert {"gas", "power"} <= only
    assert colleague.client.items("tickets", department="heating") == []
    assert colleague.client.move(power, "work")["state"] == "in_progress"


def test_a_grid_worker_who_moves_sees_the_new_grid_and_of_the_old_one_what_is_theirs(
    community, colleague
):
    old = colleague.starts("grid_worker", area=GRID)
    before, there = filed_in(community, GRID), filed_in(community, OTHER_GRID)
    held = community.staff("staff").move(filed_in(community, GRID), "acceptance")
    held = community.staff("staff").move(held, "assignment", {"assignee": colleague.id})
    own = colleague.client.make("tickets", filing(area=f"{GRID}.b1"))
    assert colleague.sees(before, there, held, own) == [True, False, True, True]

    colleague.ends(old)
    colleague.starts("grid_worker", area=OTHER_GRID, today=0)
    eventually(lambda: len(colleague.roles()) == 2)

    assert colleague.sees(before, there, held, own) == [False, True, True, True]
    assert colleague.client.move(held, "work")["state"] == "in_progress"
    assert colleague.client.items("tickets", area=f"{GRID}.b2") == []


def test_a_duty_that_was_ended_takes_its_rights_along_at_once(community, colleague):
    duty = colleague.starts("clerk", area="340603008002")
    ticket = filed_in(community, GRID)
    somebody = community.resident().id
    theirs = filing(area=f"{GRID}.b1", reporter={"resident": somebody})
    written = colleague.client.make("tickets", theirs)
    assert colleague.sees(ticket, written) == [True, True]
    assert colleague.client.get("residents").status_code == 200

    colleague.ends(duty)
    eventually(lambda: len(colleague.roles()) == 1)

    assert colleague.sees(ticket, written) == [False, False]
    refused = colleague.client.post(f"tickets/{ticket['id']}/acceptance", {}, version=1)
    assert refused.status_code == 404
    assert colleague.client.get(f"residents/{somebody}").status_code == 404
    assert {item["id"] for item in colleague.client.items("residents")} <= {colleague.id}
    assert colleague.client.get("duties").status_code == 403


def test_a_duty_that_has_not_begun_gives_nothing_yet(community, colleague):
    ticket = filed_in(community, GRID)
    duty = colleague.starts("clerk", area="340603008002", today=1)
    marker = colleague.starts("department_clerk", department="market")
    colleague.ends(marker)
    # What was told after the duty is known by now, so the duty is.
    eventually(lambda: colleague.roles() == [{"role": "resident"}])

    assert colleague.sees(ticket) == [False]
    listed = community.staff("secretary").items("duties", person=colleague.id)
    assert duty["id"] in {one["id"] for one in listed}
