"""The service as it runs: a process, a real broker and database, called as by the gateway."""

import base64
import json
import random
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import astuple, dataclass, field
from pathlib import Path
from typing import Any

import amqp
import psutil
import pytest
from kombu import Connection
from sqlalchemy import create_engine, text

from chassis import errors, migrate, topology
from chassis.call import system_call
from chassis.events import EventSchema, parse
from chassis.testing import eventually
from chassis.testing.processes import ServiceProcess
from chassis.testing.rpc import RpcCaller
from chassis.testing.wire import opened
from tests.integration.residents.world import COMMUNITY, a_phone, an_id_number, caller

SERVICE = "services.residents.service:ResidentsService"
KEYS = {
    "LINLI_MASTER_KEYS": "k1:" + base64.b64encode(bytes(range(32))).decode(),
    "LINLI_BLIND_INDEX_KEY": base64.b64encode(bytes(range(32, 64))).decode(),
}


@dataclass
class Residents:
    """The running service, and what can be seen of it from outside."""

    process: ServiceProcess
    rpc: RpcCaller
    database_url: str
    channel: amqp.Channel
    messages: list[amqp.Message] = field(default_factory=list)

    def __call__(self, method: str, /, call: Any = None, **command: Any) -> Any:
        """Call a method, by an administrator unless said otherwise; raises what it raises."""
        return self.rpc.call("residents", method, command, call=call or caller(), within=10.0)

    def published(self, subject: str) -> list[amqp.Message]:
        """The events about one thing that have left for their readers, in order of arrival."""
        while message := self.channel.basic_get("spy", no_ack=True):
            self.messages.append(message)
        return [message for message in self.messages if parse(message.body).subject == subject]

    def rows(self) -> Iterator[str]:
        """Every row of every table as text, bytes in hexadecimal."""
        engine = create_engine(self.database_url)
        with engine.connect() as connection:
            tables = connection.scalars(
                text("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
            ).all()
            for table in tables:
                yield from connection.scalars(text(f"SELECT t::text FROM {table} t"))
        engine.dispose()


@pytest.fixture(scope="module")
def residents(rabbitmq, postgres) -> Iterator[Residents]:
    urls = postgres.create_service_database("residents")
    migrate.upgrade("services.residents", urls["owner_url"], "linli_residents")
    with Connection(rabbitmq.amqp_uri) as connection:
        queues = [*topology.shared(), topology.rpc("residents")]
        topology.declare(connection.channel(), queues)
    environ = {
        "LINLI_AMQP_URI": rabbitmq.amqp_uri,
        "LINLI_DATABASE_URL_RESIDENTS": urls["app_url"],
        **KEYS,
    }
    with (
        spying(rabbitmq.amqp_uri) as channel,
        ServiceProcess(SERVICE, environ) as process,
        RpcCaller(rabbitmq.amqp_uri) as rpc,
    ):
        eventually(lambda: "service_started" in process.log, within=20)
        yield Residents(process, rpc, urls["owner_url"], channel)
        assert process.stop() == 0


@contextmanager
def spying(uri: str) -> Iterator[amqp.Channel]:
    """A channel with a queue `spy` that gets every event."""
    with opened(uri) as channel:
        channel.queue_declare("spy", exclusive=True)
        channel.queue_bind("spy", topology.EVENTS_EXCHANGE, "#")
        yield channel


@pytest.fixture(scope="module")
def community(residents) -> str:
    """The demo community with an estate and a grid."""
    for code in (
        "340603000000",
        "340603008000",
        COMMUNITY,
        f"{COMMUNITY}.e1",
        f"{COMMUNITY}.e1.g1",
    ):
        residents("add_area", code=code, name="某处")
    return COMMUNITY


def test_the_registry_is_built_and_read_over_the_bus(residents, community):
    grid = f"{community}.e1.g1"
    person = residents("register_resident", name="王小明", phone=a_phone(), area=grid)
    department = residents("add_department", code="water", name="水务局", names={"en": "Water"})
    duty = residents(
        "start_duty", person=person["id"], role="grid_worker", area=grid, **{"from": "2026-01-01"}
    )

    assert residents("get_area", code=grid)["parent"] == f"{community}.e1"
    assert residents("rename_area", code=grid, name="一号网格")["version"] == 2
    assert [area["code"] for area in residents("area_children", code=community)["items"]] == [
        f"{community}.e1"
    ]
    assert residents("list_areas", within=grid)["items"][0]["name"] == "一号网格"
    assert residents("get_resident", id=person["id"]) == person
    assert residents("find_residents", name="王小明")["items"][0]["name"] == "王**"
    assert residents("amend_resident", id=person["id"], locale="en")["locale"] == "en"
    assert residents("get_department", code="water") == department
    assert residents("list_departments")["items"] == [department]
    assert residents("change_department", code="water", active=False)["active"] is False
    assert residents("get_duty", id=duty["id"]) == duty
    assert residents("list_duties", person=person["id"])["items"] == [duty]
    assert residents("end_duty", id=duty["id"], to="2026-12-31")["version"] == 2


def test_every_event_leaves_complete_in_order_and_with_its_key(residents, community):
    duty_of = residents("register_resident", name="李四", phone=a_phone())["id"]
    duty = residents(
        "start_duty", person=duty_of, role="clerk", area=community, **{"from": "2026-01-01"}
    )["id"]
    residents("end_duty", id=duty, to="2026-12-31")
    residents("end_duty", id=duty, to=None)

    eventually(lambda: len(residents.published(duty)) == 3)

    messages = residents.published(duty)
    assert [message.delivery_info["routing_key"] for message in messages] == [
        f"duty.{event}.v1.none.340603.008.002" for event in ("started", "ended", "changed")
    ]
    assert [parse(message.body).sequence for message in messages] == [1, 2, 3]
    for message in messages:
        seen = parse(message.body)
        assert EventSchema.registry[seen.type]().validate(seen.data) == {}


def test_a_repeated_command_makes_one(residents):
    call = caller()
    command = {"code": "gas", "name": "燃气公司", "call": call}

    assert residents("add_department", **command) == residents("add_department", **command)


def test_errors_cross_the_bus_with_code_and_pointer(residents, community):
    with pytest.raises(errors.Invalid) as invalid:
        residents("register_resident", name="某", phone="123", surprise=1)
    assert {(fault["pointer"], fault["code"]) for fault in invalid.value.errors} == {
        ("/phone", "invalid_value"),
        ("/surprise", "unknown_field"),
    }
    with pytest.raises(errors.NotFound):
        residents("get_resident", id="no-such-thing")
    with pytest.raises(errors.NotFound):
        residents("get_area", code=community, call=caller("own"))
    with pytest.raises(errors.Forbidden):
        residents("rename_area", code=community, name="某", call=caller("any", "areas.read"))
    with pytest.raises(errors.Conflict) as conflict:
        residents("add_area", code=community, name="某")
    assert conflict.value.code == "area_exists"


def test_a_killed_importer_is_started_again_and_goes_on_where_it_stood(residents):
    rows = [f"{number}000000,某区" for number in range(510_000, 511_000)]
    me = caller()
    begun = residents("begin_import", call=me, kind="areas", parts=1)
    which = {"call": me, "kind": "areas", "id": begun["id"]}
    content = base64.b64encode("\n".join(["code,name", *rows]).encode()).decode()
    residents("add_import_part", **which, number=0, content=content)
    residents("start_import", **which)

    eventually(lambda: residents("get_import", **which)["done"] > 0, within=60)
    (importer,) = (
        child
        for child in psutil.Process(residents.process.pid).children()
        if "services.residents.importer" in child.cmdline()
    )
    importer.kill()

    found = eventually(
        lambda: (now := residents("get_import", **which))["finished_at"] and now, within=120
    )
    assert "importer_died" in residents.process.log
    assert (found["state"], found["added"], found["rows"]) == ("done", 1000, 1000)
    assert residents.process.log.count('"import_taken"') == 2
    assert residents("list_import_faults", **which)["items"] == []
    assert [each["id"] for each in residents("list_imports", call=me, kind="areas")["items"]] == [
        begun["id"]
    ]


def test_a_file_on_its_way_is_in_no_server_s_files(residents, rabbitmq, postgres):
    """Parts are far larger than what the broker keeps in its index: it must not page them out."""
    me = caller()
    begun = residents("begin_import", call=me, kind="residents", parts=2)
    parts = [
        "".join(f"云雀{random.random()},{a_phone()}\n" for _ in range(10_000)).encode()
        for _ in range(2)
    ]
    sent = [base64.b64encode(part).decode() for part in parts]
    for number, content in enumerate(sent):
        which = {"kind": "residents", "id": begun["id"], "number": number}
        residents("add_import_part", call=me, **which, content=content)

    seen = [part[start : start + 40] for part in sent for start in (0, 100_000, 200_000)]
    for server in (rabbitmq, postgres):
        assert files_with(server.folder, [*seen, "云雀"]) == []


def test_a_phone_number_is_answered_to_the_service_that_reaches_people_only(residents):
    phone = a_phone()
    person = residents("ensure_resident", phone=phone)["id"]
    system = system_call("notifications")

    assert residents("contact", id=person, call=system)["phone"] == f"+86{phone}"
    with pytest.raises(errors.Forbidden):
        residents("contact", id=person)


@dataclass(frozen=True)
class Canaries:
    """Personal values that are searched for wherever they must not be."""

    name: str = "欧阳金丝雀"
    address: str = "金丝雀巷七号院五零一"
    phone: str = field(default_factory=a_phone)
    other_phone: str = field(default_factory=a_phone)
    id_number: str = field(default_factory=an_id_number)


def test_personal_values_are_in_no_row_no_event_no_log_no_error_and_no_server_file(
    residents, community, rabbitmq, postgres
):
    canaries = Canaries()
    person = go_about(residents, community, canaries)
    raised = provoke(residents, community, canaries, person)

    seen = {
        "rows": "\n".join(residents.rows()),
        "events": "\n".join(str(message.body) for message in residents.messages),
        "errors": raised,
        "log": residents.process.log,
    }
    assert person in seen["rows"]
    assert person in seen["events"]
    assert "rpc_failed" in seen["log"]
    for place, found in seen.items():
        for canary in astuple(canaries):
            for spelling in spellings(canary):
                assert spelling not in found, f"a canary in {place}"
    for server in (rabbitmq, postgres):
        assert files_with(server.folder, astuple(canaries)) == []


def go_about(residents, community, canaries: Canaries) -> str:
    """Everything in order that handles personal values, about one person, whose id is given."""
    known = {"phone": canaries.phone, "name": canaries.name}
    person = residents(
        "register_resident",
        id_number=canaries.id_number,
        address=canaries.address,
        area=community,
        **known,
    )["id"]
    residents("ensure_resident", **known)
    residents("amend_resident", id=person, phone=canaries.other_phone)
    residents("amend_resident", id=person, phone=canaries.phone)
    residents("find_residents", id_number=canaries.id_number, **known)
    residents("contact", id=person, call=system_call("notifications"))
    door = {"area": f"{community}.e1.g1", "door": canaries.address}
    household = residents("register_household", head=person, **door)
    residents("amend_household", id=household["id"], door=canaries.address + "甲")
    residents("list_members", household=household["id"])
    residents("list_households", within=community)
    # Registered, amended twice, each time with a number withdrawn and another given, and moved in.
    eventually(lambda: len(residents.published(person)) == 8)
    eventually(lambda: len(residents.published(household["id"])) == 3)
    return person


def provoke(residents, community, canaries: Canaries, person: str) -> str:
    """Everything that fails on personal values, our mistakes included; what was raised."""
    known = {"phone": canaries.phone, "name": canaries.name}
    raised = [
        failure(residents, "register_resident", **known),
        failure(residents, "register_resident", **known | {"phone": canaries.phone + "0"}),
        failure(residents, "register_resident", **known, id_number=canaries.id_number[:-1] + "Y"),
        failure(residents, "register_resident", **known, area=f"{community}.e7"),
        failure(residents, "register_resident", **known, address=canaries.address * 30),
        failure(residents, "get_resident", id=canaries.phone),
        failure(residents, "find_residents", phone=canaries.phone, after=canaries.name),
        failure(residents, "no_such_method", phone=canaries.phone),
    ]
    with broken_seals(residents):
        raised.append(failure(residents, "amend_resident", id=person, **known))
        raised.append(failure(residents, "find_residents", phone=canaries.phone))
    with missing_table(residents):
        raised.append(failure(residents, "register_resident", **known | {"phone": a_phone()}))
        raised.append(failure(residents, "ensure_resident", **known))
    return "\n".join(raised)


def failure(residents, method, **command) -> str:
    with pytest.raises(errors.ServiceError) as raised:
        residents(method, **command)
    return repr(raised.value) + json.dumps(raised.value.to_wire(), ensure_ascii=False)


@contextmanager
def changed(residents, there: str, back: str) -> Iterator[None]:
    """A change by the database's owner, undone at the end."""
    engine = create_engine(residents.database_url)
    with engine.begin() as connection:
        connection.execute(text(there))
    try:
        yield
    finally:
        with engine.begin() as connection:
            connection.execute(text(back))
        engine.dispose()


def broken_seals(residents):
    reverse = "UPDATE resident_keys SET wrapped = decode(reverse(encode(wrapped, 'hex')), 'hex')"
    return changed(residents, reverse, reverse)


def missing_table(residents):
    return changed(
        residents,
        "ALTER TABLE residents RENAME TO away",
        "ALTER TABLE away RENAME TO residents",
    )


def spellings(canary: str) -> list[str]:
    """How a value might look in text: itself, escaped, and its bytes in hexadecimal and base64."""
    raw = canary.encode()
    return [
        canary,
        json.dumps(canary)[1:-1],
        raw.hex(),
        base64.b64encode(raw).decode().rstrip("=")[:-1],
    ]


def files_with(folder: Path, canaries: tuple[str, ...]) -> list[str]:
    needles = [canary.encode() for canary in canaries]
    return [
        str(path)
        for path in folder.rglob("*")
        if path.is_file() and any(needle in path.read_bytes() for needle in needles)
    ]


def test_without_its_keys_the_service_does_not_start_and_says_which_it_lacks():
    environ = {
        "LINLI_AMQP_URI": "amqp://nobody:x@127.0.0.1:1/linli",
        "LINLI_DATABASE_URL_RESIDENTS": "postgresql+psycopg2://nobody@127.0.0.1:1/x",
        **KEYS,
        "LINLI_MASTER_KEYS": "",
    }

    with ServiceProcess(SERVICE, environ) as process:
        assert process.wait() == 78
        assert "LINLI_MASTER_KEYS" in process.log


def test_what_is_over_goes_by_itself(residents):
    person = residents("ensure_resident", phone=a_phone())["id"]
    engine = create_engine(residents.database_url)
    with engine.begin() as connection:
        unused = f"UPDATE residents SET used_at = now() - interval '3 years' WHERE id = '{person}'"
        connection.execute(text(unused))
    residents.process.stop()

    residents.process.start()

    with engine.connect() as connection:
        key = text(f"SELECT count(*) FROM resident_keys WHERE resident = '{person}'")
        eventually(lambda: connection.scalar(key) == 0, within=20)
    engine.dispose()
    erased = "linli.residents.resident_erased.v1"
    eventually(lambda: parse(residents.published(person)[-1].body).type == erased, within=20)
