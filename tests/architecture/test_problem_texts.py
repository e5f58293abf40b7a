"""Every error that a service may raise has a text in both languages, and a page of its own."""

import importlib
import pkgutil
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import services
from chassis.errors import Permanent, Retryable, ServiceError
from services.gateway.problem_texts import PROBLEMS
from services.gateway.texts import FIELDS

OURS = ("chassis.", "services.")
# Raised in consumers, where nobody waits for an answer.
UNSEEN = {Permanent.code, Retryable.code}
_FAULT = re.compile(
    r"""(?:fault|invalid|_unknown|_fault)\(\s*f?"[^"]*",\s*"([a-z_]+)"|"code":\s"([a-z_]+)",\s*$""",
    re.MULTILINE,
)


def _every_error() -> Iterator[type[ServiceError]]:
    for module in pkgutil.walk_packages(services.__path__, "services."):
        if ".migrations" not in module.name:
            importlib.import_module(module.name)
    found = [ServiceError]
    for error in found:
        # Other tests may have errors of their own.
        found += [each for each in error.__subclasses__() if each.__module__.startswith(OURS)]
        yield error


CODES = sorted({error.code for error in _every_error()} - UNSEEN)


@pytest.mark.parametrize("code", CODES)
def test_every_error_has_a_text(code):
    assert set(PROBLEMS[code]) == {"zh-CN", "en"}


def test_every_fault_of_a_field_has_a_chinese_text():
    # Examples name departments in the same way.
    paths = (path for path in Path("services").rglob("*.py") if path.stem != "example_values")
    sources = (path.read_text(encoding="utf-8") for path in paths)
    codes = {code for source in sources for found in _FAULT.findall(source) for code in found}

    assert {code for code in codes - {""} if code not in FIELDS} == set()
