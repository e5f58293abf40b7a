"""The AsyncAPI document: valid for those who wrote the specification, and true of the code."""

import json
import subprocess
from pathlib import Path

import pytest

from chassis import topology
from deploy import contracts
from deploy.topology import plan
from tests.stack import javascript

JAVASCRIPT = Path(__file__).parent / "js"
SERVICES = plan({}).services


@pytest.fixture(scope="module")
def parsed():
    """What `@asyncapi/parser` makes of the document."""
    path = contracts.ASYNCAPI.resolve()
    done = subprocess.run(
        [javascript.node(JAVASCRIPT), "check.mjs", path],
        cwd=JAVASCRIPT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def messages(parsed, operation):
    (found,) = (each for each in parsed["operations"] if each["id"] == operation)
    return set(found["messages"])


def test_it_is_valid_asyncapi_3(parsed):
    # There is a 3.1 by now, which adds nothing about AMQP.
    faults = [each for each in parsed["faults"] if "asyncapi-latest-version" not in each]

    assert faults == []
    assert parsed["version"] == "3.0.0"


def test_every_event_is_a_message_that_its_service_sends(parsed):
    types = set(contracts.event_types())
    sends = [each for each in parsed["operations"] if each["action"] == "send"]

    assert set(parsed["messages"]) == types
    for operation in sends:
        service = operation["id"].split(".")[0]
        assert {each.split(".")[1] for each in operation["messages"]} == {service}
    assert {each for operation in sends for each in operation["messages"]} == types


@pytest.mark.parametrize("service", SERVICES, ids=lambda service: service.name)
def test_every_consumer_receives_what_its_queue_is_bound_to(parsed, service):
    for queue, types in service.consumers:
        assert messages(parsed, f"{queue}.receives") == set(types)


@pytest.mark.parametrize("name", ["gateway.receives.log", "observer.receives.log"])
def test_whoever_reads_the_log_receives_everything(parsed, name):
    assert messages(parsed, name) == set(contracts.event_types())


def test_a_department_receives_what_its_queue_is_bound_to(parsed):
    (key,) = topology.subscriber_keys("water", "ticket")
    bound = {
        each
        for each in contracts.event_types()
        if topology.key_matches(key, topology.routing_key(each, "water"))
    }

    assert messages(parsed, "departmentEvents.receives") == bound
    assert messages(parsed, "departmentLog.receives") == bound
