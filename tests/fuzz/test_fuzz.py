"""Schemathesis over the whole API, as each role: every answer is one that the OpenAPI document
promises, what is well-formed is not refused and what is malformed is, and no operation is left
without a success.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import services.gateway.service  # noqa: F401 - declares the operations
from services.gateway import openapi
from tests.fuzz.seeds import ROLES, token_of

pytestmark = pytest.mark.timeout(900)
SETTINGS = Path(__file__).with_name("schemathesis.toml")
PROGRAM = Path(sys.executable).with_name("schemathesis")


def fuzz(community, role, seed, folder, *options):
    """Run Schemathesis as a role; its exit status, what it said, and what was answered."""
    answers = folder / "answers.json"
    token = token_of(community, role)
    environ = {
        **{name: value for name, value in os.environ.items() if name != "SCHEMATHESIS_HOOKS"},
        "FUZZ_ROLE": role,
        "FUZZ_READY": json.dumps(community.ready),
        "FUZZ_SEED": str(seed),
        "FUZZ_ANSWERS": str(answers),
        "PYTHONPATH": str(Path.cwd()),
        **({"FUZZ_TOKEN": token} if token else {}),
    }
    command = [PROGRAM, "--config-file", SETTINGS, "run", f"{community.url}/api/openapi.json"]
    ran = subprocess.run(
        [*command, "--seed", str(seed), "--no-color", *options],
        env=environ,
        capture_output=True,
        text=True,
        check=False,
    )
    counted = json.loads(answers.read_text()) if answers.exists() else []
    return ran.returncode, ran.stdout + ran.stderr, counted


@pytest.mark.parametrize("role", ROLES)
def test_every_answer_is_a_promised_one(community, role, seed, answered, tmp_path):
    status, said, counted = fuzz(community, role, seed, tmp_path)

    for operation, code, times in counted:
        answered[operation, code] += times
    assert status == 0, said


def test_no_operation_is_left_without_a_success(answered):
    """Last: what all roles together were answered."""
    succeeded = {operation for operation, status in answered if 200 <= status < 300}
    every = {
        operation["operationId"]
        for methods in openapi.document()["paths"].values()
        for operation in methods.values()
    }

    assert every - succeeded == set()


@pytest.mark.slice
def test_examples_and_boundaries_are_answered_as_promised(community, seed, tmp_path):
    briefly = ("--phases", "examples,coverage")

    status, said, _ = fuzz(community, "secretary", seed, tmp_path, *briefly)

    assert status == 0, said
