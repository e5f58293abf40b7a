"""Events become inbox items and deliveries; people read their inboxes."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from marshmallow import ValidationError
from sqlalchemy import event as listening
from sqlalchemy import func, insert, select, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from chassis.clock import now
from chassis.errors import NotFound
from chassis.testing import eventually
from services.notifications import commands, forgetting, queries
from services.notifications.errors import BadCursor
from services.notifications.models import Delivery, Notification
from services.notifications.outcome import Reason, State
from services.notifications.texts import Texts
from tests.integration.notifications.world import TicketStory, department_event, person_event

TEXTS = Texts()
# Somebody waits for an erasure to end, in this database.
WAITING = text(
    "SELECT count(*) FROM pg_locks JOIN pg_database ON pg_database.oid = database"
    " WHERE datname = current_database() AND locktype = 'advisory' AND NOT granted"
)


@pytest.fixture
def tell(session, limits):
    """Handles an event as the consumer does."""

    def handle(event):
        commands.tell(session, event, limits, now())
        session.commit()

    return handle


@pytest.fixture
def inbox(session):
    """A page of somebody's inbox."""

    def read(person, locale="zh-CN", after=None, limit=50, unread=False):
        page = {"after": after, "limit": limit, "unread": unread}
        return queries.inbox(session, TEXTS, person, locale, page)

    return read


def delivery_of(session, person):
    query = select(Delivery).join(Notification, Notification.id == Delivery.notification)
    return session.scalars(query.where(Notification.person == person)).all()


@contextmanager
def counted(session):
    """The statements that a session sends to the server meanwhile."""
    sent = []

    def note(_connection, _cursor, statement, *_rest):
        sent.append(statement)

    connection = session.connection()
    listening.listen(connection, "before_cursor_execute", note)
    yield sent
    listening.remove(connection, "before_cursor_execute", note)


def purposes(page):
    return [item["purpose"] for item in page["items"]]


def test_a_reporter_finds_the_news_in_the_inbox_and_a_message_is_due(session, tell, inbox):
    story = TicketStory()

    tell(story.event("filed"))

    [item] = inbox(story.reporter)["items"]
    assert item["title"] == "已收到您的诉求"
    assert story.facts["number"] in item["body"]
    assert (item["ticket"], item["number"]) == (story.ticket, story.facts["number"])
    [delivery] = delivery_of(session, story.reporter)
    assert (delivery.state, delivery.channels) == (State.QUEUED, ["email", "sms"])
    assert delivery.next_attempt_at <= now()


def test_one_event_never_tells_a_person_twice(session, tell, inbox):
    story = TicketStory()
    event = story.event("accepted")

    tell(event), tell(event)

    assert purposes(inbox(story.reporter)) == ["ticket_accepted"]
    assert len(delivery_of(session, story.reporter)) == 1


def test_the_whole_story_stands_in_the_inbox_the_newest_first(tell, inbox):
    story = TicketStory()
    for name in ("filed", "accepted", "assigned", "started", "resolved", "closed"):
        tell(story.event(name))
    assert purposes(inbox(story.reporter)) == [
        "ticket_closed",
        "ticket_resolved",
        "ticket_started",
        "ticket_assigned",
        "ticket_accepted",
        "ticket_filed",
    ]


def test_a_late_event_takes_its_place_in_the_inbox_and_sends_nothing(session, tell, inbox):
    story = TicketStory()
    accepted, resolved = story.event("accepted"), story.event("resolved")

    tell(resolved), tell(accepted)

    assert purposes(inbox(story.reporter)) == ["ticket_resolved", "ticket_accepted"]
    states = {
        each.purpose: (each.state, each.reason) for each in delivery_of(session, story.reporter)
    }
    assert states["ticket_resolved"] == (State.QUEUED, None)
    assert states["ticket_accepted"] == (State.SKIPPED, Reason.SUPERSEDED)


def test_steps_made_at_one_moment_keep_their_order(tell, inbox):
    story, moment = TicketStory(), now()
    filed, accepted = story.event("filed", moment), story.event("accepted", moment)
    tell(accepted), tell(filed)
    assert purposes(inbox(story.reporter)) == ["ticket_accepted", "ticket_filed"]


def test_a_comment_does_not_make_the_step_before_it_stale(session, tell):
    story = TicketStory()
    resolved = story.event("resolved")
    comment = story.event("commented", comment_visibility="public")

    tell(comment), tell(resolved)

    states = {each.purpose: each.state for each in delivery_of(session, story.reporter)}
    assert states["ticket_resolved"] == State.QUEUED


def test_an_imported_ticket_of_last_year_fills_the_inbox_and_sends_nothing(session, tell, inbox):
    story = TicketStory()
    tell(story.event("filed", now() - timedelta(days=365)))
    assert purposes(inbox(story.reporter)) == ["ticket_filed"]
    [delivery] = delivery_of(session, story.reporter)
    assert (delivery.state, delivery.reason) == (State.SKIPPED, Reason.EXPIRED)


def test_an_internal_comment_leaves_no_trace_in_the_reporters_inbox(tell, inbox):
    story = TicketStory()
    tell(story.event("commented", comment_visibility="internal"))
    assert inbox(story.reporter)["items"] == []


def test_an_assignee_is_told_in_the_app_and_by_mail_only(session, tell, inbox):
    assignee = uuid4()
    tell(TicketStory(assignee=str(assignee)).event("assigned", previous_assignee=None))
    assert purposes(inbox(assignee)) == ["task_assigned"]
    assert [each.channels for each in delivery_of(session, assignee)] == [["email"]]


def test_one_event_tells_somebody_once_who_is_reporter_and_assignee(session, tell, inbox):
    both = str(uuid4())
    tell(TicketStory(reporter=both, assignee=both).event("assigned"))
    assert purposes(inbox(UUID(both))) == ["task_assigned"]
    assert len(delivery_of(session, UUID(both))) == 1


@pytest.mark.parametrize("twice", ["another purpose", "another channel"])
def test_the_database_refuses_to_tell_of_one_event_twice(session, tell, twice):
    story = TicketStory()
    tell(story.event("filed"))
    [delivery] = delivery_of(session, story.reporter)
    told = session.get_one(Notification, delivery.notification)
    row = told if twice == "another purpose" else delivery
    columns = {column.name: getattr(row, column.name) for column in row.__table__.columns}
    changed = {"purpose": "other"} if row is told else {"channel": "email"}

    with pytest.raises(IntegrityError):
        session.execute(insert(type(row)).values({**columns, "id": uuid4(), **changed}))
    session.rollback()


def test_an_event_of_a_wrong_schema_is_refused_and_leaves_nothing(session, tell):
    story = TicketStory(number="")
    with pytest.raises(ValidationError):
        tell(story.event("filed"))
    session.rollback()
    count = select(func.count()).where(Notification.ticket == UUID(story.ticket))
    assert session.scalar(count) == 0


def test_an_inbox_is_read_in_the_readers_language(tell, inbox):
    story = TicketStory()
    tell(story.event("filed"))
    assert inbox(story.reporter, "en")["items"][0]["title"] == "We have received your request"
    assert inbox(story.reporter, "zh-CN")["items"][0]["title"] == "已收到您的诉求"


def test_a_department_is_named_in_the_readers_language_as_it_is_called_now(session, tell, inbox):
    code = f"d{uuid4().hex[:8]}"
    story = TicketStory(department=code)
    tell(story.event("assigned"))
    assert "承办单位" in inbox(story.reporter)["items"][0]["body"]

    names = {"zh": "供水公司", "en": "Water Company"}
    commands.keep_department(
        session, department_event("added", 1, code=code, name="供水公司", names=names)
    )

    assert "供水公司" in inbox(story.reporter)["items"][0]["body"]
    assert "Water Company" in inbox(story.reporter, "en")["items"][0]["body"]


def test_a_late_event_does_not_rename_a_department_back(session, tell, inbox):
    code = f"d{uuid4().hex[:8]}"
    story = TicketStory(department=code)
    tell(story.event("assigned"))
    for sequence, name in ((3, "三"), (2, "二"), (1, "一")):
        record = {"code": code, "name": name, "names": {"zh": name}}
        commands.keep_department(session, department_event("changed", sequence, **record))
    assert "三" in inbox(story.reporter)["items"][0]["body"]


def test_pages_follow_each_other_and_stay_stable_while_news_arrives(tell, inbox):
    story = TicketStory()
    for _ in range(5):
        tell(story.event("started"))

    first = inbox(story.reporter, limit=2)
    tell(story.event("resolved"))
    second = inbox(story.reporter, limit=2, after=first["next"])
    third = inbox(story.reporter, limit=2, after=second["next"])

    ids = [item["id"] for page in (first, second, third) for item in page["items"]]
    assert len(ids) == len(set(ids)) == 5
    assert third["next"] is None


@pytest.mark.parametrize(
    "cursor", ["", "x", "bm90IGEgY3Vyc29y", "WyIyMDI2IiwgIjEiLCAiMSJd", "[]", "é"]
)
def test_a_cursor_that_is_not_ours_is_refused(inbox, cursor):
    with pytest.raises(BadCursor):
        inbox(uuid4(), after=cursor)


def test_an_item_is_read_once_and_for_all(session, tell, inbox):
    story = TicketStory()
    tell(story.event("filed"))
    item = UUID(inbox(story.reporter)["items"][0]["id"])
    assert queries.unread_count(session, story.reporter) == 1

    first = commands.mark_read(session, story.reporter, item, now()).read_at
    later = commands.mark_read(session, story.reporter, item, now() + timedelta(hours=1)).read_at

    assert first == later
    assert queries.unread_count(session, story.reporter) == 0
    assert inbox(story.reporter, unread=True)["items"] == []
    assert inbox(story.reporter)["items"][0]["read_at"] is not None


def test_somebody_elses_item_is_not_found(session, tell, inbox):
    story = TicketStory()
    tell(story.event("filed"))
    item = UUID(inbox(story.reporter)["items"][0]["id"])
    with pytest.raises(NotFound):
        commands.mark_read(session, uuid4(), item, now())
    assert inbox(uuid4())["items"] == []


def test_whoever_is_erased_has_no_inbox_and_is_sent_nothing_more(session, tell, inbox):
    story, other = TicketStory(), TicketStory()
    tell(story.event("filed")), tell(story.event("accepted")), tell(other.event("filed"))

    forgetting.forget_person(session, person_event("erased", story.reporter), now())

    assert inbox(story.reporter)["items"] == []
    assert delivery_of(session, story.reporter) == []
    assert len(inbox(other.reporter)["items"]) == 1


def test_an_erasure_of_nobody_is_refused_for_good(session):
    with pytest.raises(ValidationError):
        forgetting.forget_person(session, person_event("erased", None), now())


def test_news_that_comes_after_an_erasure_is_told_to_nobody(session, tell, inbox):
    story = TicketStory()
    forgetting.forget_person(session, person_event("erased", story.reporter), now())
    session.commit()

    tell(story.event("filed"))

    assert inbox(story.reporter)["items"] == []
    assert delivery_of(session, story.reporter) == []


def test_of_several_whom_an_event_names_who_was_erased_is_not_told(session, tell, inbox):
    story, assignee, previous = TicketStory(), uuid4(), uuid4()
    forgetting.forget_person(session, person_event("erased", assignee), now())
    session.commit()

    tell(story.event("assigned", assignee=str(assignee), previous_assignee=str(previous)))

    assert purposes(inbox(assignee)) == []
    assert purposes(inbox(previous)) == ["task_moved"]
    assert purposes(inbox(story.reporter)) == ["ticket_assigned"]
    told = [len(delivery_of(session, person)) for person in (assignee, previous, story.reporter)]
    assert told == [0, 1, 1]


def test_news_that_meets_an_erasure_waits_for_it_and_is_told_to_nobody(
    engine, session, limits, inbox
):
    story = TicketStory()

    def tell():
        with Session(engine) as telling, telling.begin():
            commands.tell(telling, story.event("filed"), limits, now())

    with Session(engine) as erasing, ThreadPoolExecutor() as pool:
        forgetting.forget_person(erasing, person_event("erased", story.reporter), now())
        told = pool.submit(tell)
        eventually(lambda: session.scalar(WAITING))
        erasing.commit()
        told.result(timeout=30)

    assert inbox(story.reporter)["items"] == []
    assert delivery_of(session, story.reporter) == []


def test_an_event_that_is_told_takes_four_statements_however_many_it_names(session, limits):
    story = TicketStory(assignee=str(uuid4()))
    event = story.event("assigned", previous_assignee=str(uuid4()))
    with counted(session) as statements:
        commands.tell(session, event, limits, now())
    assert len(statements) == 4, statements


def test_a_digest_goes_with_its_person_when_its_parts_have_gone_before(session):
    person = uuid4()
    digest = Delivery(id=uuid4(), person=person, purpose="digest", channel="email",
        channels=["email"], state=State.DELIVERED, created_at=now(), settled_at=now())  # fmt: skip
    session.add(digest)
    session.commit()

    forgetting.forget_person(session, person_event("erased", person), now())

    assert session.scalars(select(Delivery.id).where(Delivery.person == person)).all() == []
