"""The service as it runs: its own process, a real broker, a real database, real HTTP."""

import random
import signal
import time
from collections.abc import Iterator
from uuid import uuid4

import pytest
from sqlalchemy import Engine, create_engine, inspect, text

from chassis import topology
from chassis.call import Call, Grant
from chassis.errors import Forbidden, Invalid, NotFound, ServiceError, Unavailable
from chassis.testing import eventually
from chassis.testing.processes import ServiceProcess
from chassis.testing.rpc import RpcCaller
from chassis.testing.wire import opened
from deploy.local.mail_standin import Office
from tests.integration.notifications.desk import Desk, person_calling, reasons, settled
from tests.integration.notifications.neighbours import ResidentsDouble
from tests.integration.notifications.world import (
    Standin,
    TicketStory,
    a_phone,
    an_address,
    department_event,
)

SERVICE = "services.notifications.service:NotificationsService"
ADMINISTRATOR = (Grant("any", frozenset({"deliveries.read"})),)


@pytest.fixture(scope="module")
def environ(service_environ: dict[str, str], mail_office: Office) -> dict[str, str]:
    """The environment of the service, in a hurry."""
    return {
        **service_environ,
        "LINLI_SMS_TIMEOUT": "1",
        # Tests are run at night, too.
        "LINLI_QUIET_HOURS": "none",
        "LINLI_SMTP_HOST": "127.0.0.1",
        "LINLI_SMTP_PORT": str(mail_office.smtp_port),
        "LINLI_SMTP_TLS": "none",
        "LINLI_SMTP_FROM": "邻里 <linli@community.example>",
        "LINLI_SMTP_TIMEOUT": "1",
        "LINLI_SMS_CODE_TIMEOUT": "1",
        "LINLI_SMS_RETRIES": "1s 1s 1s 1s 5s",
        "LINLI_CONTACT_TIMEOUT": "0.5",
        "LINLI_CONTACT_RETRIES": "1s",
        "LINLI_DELIVERY_LEASE": "4",
        "LINLI_DELIVERY_POLL": "0.2",
    }


@pytest.fixture(scope="module")
def residents(environ: dict[str, str]) -> Iterator[ResidentsDouble]:
    double = ResidentsDouble(environ["LINLI_AMQP_URI"])
    double.present()
    yield double
    double.absent()


@pytest.fixture(scope="module")
def process(environ: dict[str, str]) -> Iterator[ServiceProcess]:
    with ServiceProcess(SERVICE, environ) as process:
        yield process


@pytest.fixture(scope="module")
def engine(environ: dict[str, str]) -> Iterator[Engine]:
    engine = create_engine(environ["LINLI_DATABASE_URL_NOTIFICATIONS"], pool_pre_ping=True)
    yield engine
    engine.dispose()


@pytest.fixture
def desk(
    process: ServiceProcess,
    engine: Engine,
    environ: dict[str, str],
    residents: ResidentsDouble,
    standin: Standin,
) -> Iterator[Desk]:
    """The service, ready; a test may end it, and misbehave around it."""
    if not process.running:
        process.start()
    desk = Desk(process, engine, environ["LINLI_AMQP_URI"], residents, standin)
    desk.ready()
    standin.behave()
    yield desk
    standin.behave()


def test_a_reporter_is_told_of_each_step_by_message_and_in_the_inbox(desk):
    story = desk.story()
    steps = ["filed", "accepted", "assigned", "started", "resolved", "closed"]

    for count, name in enumerate(steps, 1):
        desk.publish(story.event(name))
        desk.texts(story, count)

    words = ("已登记", "已受理", "已派给", "正在办理", "已办结", "已归档")
    assert all(word in said for word, said in zip(words, desk.texts(story), strict=True))
    told = [item["purpose"] for item in desk.inbox(story.reporter)]
    assert told == [f"ticket_{name}" for name in reversed(steps)]


def test_who_left_an_address_is_told_of_each_step_by_mail(desk, postbox):
    story, address = desk.story(), an_address()
    desk.residents.contacts[str(story.reporter)]["email"] = address

    for count, name in enumerate(["filed", "accepted", "resolved"], 1):
        desk.publish(story.event(name))
        eventually(lambda count=count: len(postbox.items(address)) == count)

    said = [item["text"] for item in postbox.items(address)]
    assert all(
        word in text for word, text in zip(("已登记", "已受理", "已办结"), said, strict=True)
    )
    assert desk.standin.texts(story.phone) == []


def test_mail_waits_for_a_server_that_is_in_trouble(desk, postbox):
    story, address = desk.story(), an_address()
    desk.residents.contacts[str(story.reporter)]["email"] = address
    postbox.misbehave(stage="rcpt", code=451, times=2)

    desk.publish(story.event("filed"))

    eventually(lambda: len(postbox.items(address)) == 1)
    expected = ["provider_busy", "provider_busy", "delivered"]
    assert eventually(lambda: reasons(desk, story) == expected)


def test_residents_are_asked_by_the_system_and_not_by_a_person(desk):
    story = desk.story()
    desk.publish(story.event("filed"))
    desk.texts(story)
    assert desk.residents.asked_by == {"system"}


def test_an_event_that_comes_twenty_times_is_told_once(desk):
    story = desk.story()
    filed, resolved = story.event("filed"), story.event("resolved")
    desk.publish(filed, times=20)
    desk.texts(story)

    desk.publish(resolved)

    assert len(desk.texts(story, 2)) == 2
    assert len(desk.inbox(story.reporter)) == 2


def test_an_inbox_is_its_owners_alone(desk):
    story = desk.story()
    desk.publish(story.event("filed"))
    [item] = eventually(lambda: desk.inbox(story.reporter))

    with pytest.raises(NotFound):
        desk.call("mark_read", {"id": item["id"]}, person_calling(uuid4()))
    with pytest.raises(Forbidden):
        desk.call("list_inbox", {}, Call())

    read = desk.call("mark_read", {"id": item["id"]}, person_calling(story.reporter))
    assert read["read_at"] is not None
    assert desk.call("unread_count", {}, person_calling(story.reporter)) == {"unread": 0}
    assert desk.inbox(story.reporter, unread=True) == []


def test_a_malformed_question_names_the_field_at_fault(desk):
    with pytest.raises(Invalid) as refusal:
        desk.call("list_inbox", {"limit": 1000}, person_calling(uuid4()))
    assert refusal.value.errors[0]["pointer"] == "/limit"


def test_an_inbox_is_read_in_the_callers_language_with_departments_by_name(desk):
    code = f"d{uuid4().hex[:8]}"
    names = {"zh": "供水公司", "en": "Water Company"}
    desk.publish(department_event("added", 1, code=code, name="供水公司", names=names))
    story = desk.story(department=code)
    desk.publish(story.event("assigned"))

    def in_english():
        query = person_calling(story.reporter, locale="en")
        items = desk.call("list_inbox", {}, query)["items"]
        return bool(items) and "is now with Water Company" in items[0]["body"]

    assert eventually(in_english)


def test_a_sign_in_code_is_sent_while_the_caller_waits(desk):
    phone = a_phone()
    desk.call("send_code", {"phone": phone, "code": "482913", "locale": "zh-CN"})
    assert "482913" in desk.standin.texts(phone)[0]


@pytest.mark.parametrize("fault", [{"status": 500}, {"delay": 5}], ids=["failing", "silent"])
def test_a_sign_in_code_that_cannot_be_sent_is_unavailable_within_two_seconds(desk, fault):
    desk.standin.misbehave(**fault)
    command = {"phone": a_phone(), "code": "482913"}
    with RpcCaller(desk.amqp_uri) as caller, pytest.raises(Unavailable) as refusal:
        caller.call("notifications", "send_code", command, call=Call(), within=2.0)
    assert refusal.value.code == "code_not_sent"


def test_administrators_see_what_became_of_deliveries(desk):
    story = desk.story()
    desk.publish(story.event("filed"))
    desk.texts(story)

    with pytest.raises(Forbidden):
        desk.call("deliveries", {}, person_calling(story.reporter))

    def delivered():
        page = desk.call("deliveries", {"limit": 200}, Call(grants=ADMINISTRATOR))
        mine = [each for each in page["items"] if each["person"] == str(story.reporter)]
        return [(each["state"], each["attempts"][0]["reason"]) for each in mine]

    assert eventually(lambda: delivered() == [("delivered", "delivered")])


def test_a_message_survives_a_provider_that_fails(desk):
    story = desk.story()
    # Until our own has failed twice: what others left to be sent may fail as well.
    desk.standin.misbehave(status=500)
    desk.publish(story.event("filed"))
    eventually(lambda: len(reasons(desk, story)) > 1)
    desk.standin.behave()

    assert len(desk.texts(story)) == 1
    # The text is with the provider before its attempt is in the database.
    eventually(lambda: "delivered" in reasons(desk, story))
    *failed, delivered = reasons(desk, story)
    assert (set(failed), delivered) == ({"provider_error"}, "delivered")


def test_a_message_waits_until_residents_are_back(desk):
    story = desk.story()
    desk.residents.absent()
    try:
        desk.publish(story.event("filed"))
        eventually(lambda: "residents_unavailable" in reasons(desk, story))
        assert desk.inbox(story.reporter)
    finally:
        desk.residents.present()
    assert len(desk.texts(story)) == 1


def test_a_slow_provider_holds_up_no_question(desk):
    stories = [desk.story() for _ in range(20)]
    desk.standin.misbehave(delay=0.8, status=201, accept=True)
    desk.publish(*(story.event("filed") for story in stories))

    eventually(lambda: len(desk.standin.texts(stories[0].phone)) > 0)
    eventually(lambda: desk.inbox(stories[-1].reporter))

    desk.standin.behave()
    for story in stories:
        assert len(desk.texts(story, within=30)) == 1


def test_a_worker_killed_after_sending_tells_nobody_twice(desk):
    story = desk.story()
    desk.standin.misbehave(delay=0.9, status=201, accept=True, times=1)
    desk.publish(story.event("filed"))
    desk.texts(story)

    desk.process.kill()
    desk.process.start()

    eventually(lambda: reasons(desk, story) == ["worker_lost", "delivered"], within=20)
    assert len(desk.texts(story)) == 1


def test_what_a_killed_worker_sent_may_be_overtaken_by_news_and_be_called_skipped(desk, environ):
    """It has arrived all the same: the log of attempts says that a worker was lost with it."""
    story = desk.story()
    desk.standin.misbehave(delay=0.9, status=201, accept=True, times=1)
    desk.publish(story.event("filed"))
    desk.texts(story)
    desk.process.kill()

    lease(desk, story, "1 hour")  # or it would end before the news is here

    with ServiceProcess(SERVICE, {**environ, "LINLI_NEWS_FRESH_FOR": "0.1"}) as hasty:
        desk.publish(story.event("accepted"))
        assert eventually(lambda: settled(desk, story, count=1)) == [("delivered", "delivered", 0)]
        lease(desk, story, "0 seconds")
        ended = eventually(lambda: settled(desk, story, count=2))
        assert hasty.stop() == 0
    desk.process.start()

    assert ended == [("skipped", "superseded", 1), ("delivered", "delivered", 0)]
    assert len(desk.texts(story)) == 2


def lease(desk: Desk, story: TicketStory, lasts: str) -> None:
    """Let whoever has taken the ticket's deliveries have them for so long from now."""
    with desk.engine.begin() as connection:
        connection.execute(
            text(
                "UPDATE delivery SET next_attempt_at = now() + CAST(:lasts AS interval)"
                " FROM notification n WHERE n.id = notification AND n.ticket = :ticket"
                " AND claimed_at IS NOT NULL"
            ),
            {"lasts": lasts, "ticket": story.ticket},
        )


def test_kills_at_random_moments_lose_nothing_and_double_nothing(desk):
    stories = [desk.story() for _ in range(60)]
    for beginning in range(0, 60, 20):
        desk.ready()
        desk.publish(*(story.event("filed") for story in stories[beginning : beginning + 20]))
        time.sleep(random.uniform(0, 0.4))
        desk.process.kill()
        desk.process.start()
    desk.ready()
    for story in stories:
        assert len(desk.texts(story, within=30)) == 1
        assert len(desk.inbox(story.reporter)) == 1


def test_two_replicas_share_the_work(desk, environ):
    stories = [desk.story() for _ in range(40)]
    with ServiceProcess(SERVICE, environ) as other:
        eventually(lambda: "service_started" in other.log, within=20)
        desk.publish(*(story.event("filed") for story in stories))
        for story in stories:
            assert len(desk.texts(story, within=20)) == 1
        assert other.stop() == 0


def test_it_ends_within_its_grace_while_it_is_sending(desk):
    desk.standin.misbehave(delay=0.9)
    desk.publish(*(desk.story().event("filed") for _ in range(30)))
    eventually(lambda: desk.rows("SELECT 1 FROM delivery WHERE claimed_at IS NOT NULL"))

    assert desk.process.stop(within=10) == 0

    # What it had taken it also recorded.
    assert desk.rows("SELECT 1 FROM delivery WHERE claimed_at IS NOT NULL") == []


def test_it_outlives_a_restart_of_its_database(desk, postgres):
    postgres.stop()
    postgres.start()
    story = desk.story()
    desk.publish(story.event("filed"))
    assert len(desk.texts(story, within=10)) == 1
    assert desk.process.running


def test_an_event_of_a_wrong_schema_becomes_a_dead_letter_and_others_go_on(desk):
    broken, story = TicketStory(number=""), desk.story()
    desk.publish(broken.event("accepted"), story.event("accepted"))
    desk.texts(story)
    with opened(desk.amqp_uri) as channel:
        queue = topology.dead_queue("notifications.on_ticket_accepted")
        letter = eventually(lambda: channel.basic_get(queue, no_ack=True))
    assert letter.headers[topology.REASON_HEADER] == "wrong_schema"


def test_no_number_no_address_and_no_code_is_in_the_database_or_in_a_log(desk, postbox):
    """Canaries: numbers that were used in every way this file uses them, good and bad."""
    story, code = desk.story(), "739104"
    by_mail = desk.story()
    desk.residents.contacts[str(by_mail.reporter)]["email"] = an_address()
    postbox.misbehave(stage="rcpt", code=550, times=1)
    desk.publish(by_mail.event("filed"))
    desk.texts(by_mail)
    assert "provider_refused" in reasons(desk, by_mail)
    phones = [contact["phone"] for contact in desk.residents.contacts.values()]
    addresses = [each["email"] for each in desk.residents.contacts.values() if each.get("email")]
    desk.standin.misbehave(status=500, times=1)
    desk.publish(story.event("filed"))
    desk.texts(story)
    desk.call("send_code", {"phone": story.phone, "code": code})
    for status, phone in ((500, story.phone), (422, story.phone), (200, f"tel:{story.phone}")):
        desk.standin.misbehave(status=status)
        with pytest.raises(ServiceError) as refusal:
            desk.call("send_code", {"phone": phone, "code": code})
        assert story.phone not in str(refusal.value.to_wire())

    written = "\n".join([*everything_in(desk.engine), desk.process.log])

    assert str(story.reporter) in written
    assert [phone for phone in phones if phone[-8:] in written] == []
    assert addresses
    assert [address for address in addresses if address in written] == []
    assert code not in written


def everything_in(engine: Engine) -> Iterator[str]:
    with engine.connect() as connection:
        for table in inspect(engine).get_table_names():
            yield from connection.execute(text(f'SELECT t::text FROM "{table}" t')).scalars()


def test_the_process_stops_at_a_signal(desk):
    assert desk.process.signal(signal.SIGTERM).wait(10) == 0
