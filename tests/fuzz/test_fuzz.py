"""Schemathesis over the whole API, as each role: every answer is one that the OpenAPI document
promises, what is well-formed is not refused and what is malformed is, and no operation is left
without a success.
"""

import pytest

import services.gateway.service  # noqa: F401 - declares the operations
from services.gateway import openapi
from tests.fuzz.running import Run
from tests.fuzz.world import ROLES

pytestmark = pytest.mark.timeout(3600)


SECRETARYS = "CareTags Comments Events Figures Households Ledger Members Moves PersonalData Tickets"
BRIEFLY = ("--phases", "examples,coverage")


def _tags(option: str) -> tuple[str, ...]:
    return tuple(text for tag in SECRETARYS.split() for text in (option, tag))


@pytest.mark.parametrize(("role", "options"), [(role, ()) for role in ROLES])
def test_every_answer_is_a_promised_one(runs, role, options, answered):
    ran: Run = runs[role, options].result()

    answered.update(ran.answers)
    assert ran.status == 0, ran.said


@pytest.mark.slice
@pytest.mark.parametrize(
    ("role", "options"),
    [
        ("secretary", (*BRIEFLY, *_tags("--include-tag"))),
        ("administrator", (*BRIEFLY, *_tags("--exclude-tag"))),
    ],
)
def test_examples_and_boundaries_are_answered_as_promised(runs, role, options, answered):
    ran: Run = runs[role, options].result()

    answered.update(ran.answers)
    assert ran.status == 0, ran.said


def test_no_operation_is_left_without_a_success(answered):
    """Last: what all roles together were answered."""
    succeeded = {operation for operation, status in answered if 200 <= status < 300}
    every = {
        operation["operationId"]
        for methods in openapi.document()["paths"].values()
        for operation in methods.values()
    }

    assert every - succeeded == set()
