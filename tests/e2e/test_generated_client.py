"""A client that `openapi-python-client` writes from the OpenAPI document does what people do."""

import importlib
import json
import subprocess
import sys
from functools import partial
from http import HTTPStatus
from pathlib import Path

import pytest

from tests.stack.clients import a_word, filing

DOCUMENT = Path("contracts/openapi.yaml")


@pytest.fixture(scope="module")
def generated(tmp_path_factory):
    """Imports a module of the client, by its name in it."""
    folder = tmp_path_factory.mktemp("generated")
    config = folder / "config.json"
    # Nothing to be formatted: nobody reads it.
    config.write_text(json.dumps({"post_hooks": []}))
    command = ["generate", "--path", DOCUMENT, "--config", config, "--fail-on-warning"]
    command += ["--meta", "none", "--output-path", folder / "linli_generated"]
    done = subprocess.run(
        [Path(sys.executable).with_name("openapi-python-client"), *command],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    sys.path.insert(0, str(folder))
    yield lambda name: importlib.import_module(f"linli_generated{name}")
    sys.path.remove(str(folder))


@pytest.fixture(scope="module")
def secretary(generated, ready):
    """A client of the secretary's, who has signed in with it."""
    # Else a proxy of the environment would have its say.
    options = {"base_url": ready["url"], "httpx_args": {"trust_env": False}}
    options["headers"] = {"Accept-Language": "en"}
    sign_in = generated(".api.sessions.sign_in")

    with generated("").Client(**options) as stranger:
        opened = sign_in.sync(client=stranger, body=ready["sign_ins"]["secretary"])

    assert isinstance(opened, generated(".models").SessionOpened)
    with generated("").AuthenticatedClient(token=opened.token, **options) as signed_in:
        yield signed_in


@pytest.fixture(scope="module")
def filed(generated, secretary):
    """A ticket that was filed with it."""
    models = generated(".models")
    body = models.NewTicket.from_dict(filing(title=a_word()))
    answer = generated(".api.tickets.file_ticket").sync_detailed(client=secretary, body=body)

    assert answer.status_code == HTTPStatus.CREATED
    assert isinstance(answer.parsed, models.Ticket)
    return answer.parsed


def test_what_was_filed_is_read_with_its_types(generated, secretary, filed):
    read = generated(".api.tickets.get_ticket").sync(client=secretary, id=str(filed.id))

    assert read.id == filed.id
    assert read.state is generated(".models").TicketState.ACCEPTED
    assert read.filed_at.utcoffset() is not None
    assert isinstance(read.version, int)


def test_a_list_is_followed_to_its_end(generated, secretary, filed):
    pages = partial(generated(".api.tickets.list_tickets").sync, client=secretary, limit=1)
    page = pages(q=filed.title)

    found = list(page.items)
    while page.next_:
        page = pages(q=filed.title, after=page.next_)
        found += page.items

    assert [each.id for each in found] == [filed.id]


def test_a_move_names_the_version_that_was_read(generated, secretary, filed):
    assign = generated(".api.moves.assign_ticket")
    to_water = generated(".models").AssignmentType0(department="water")
    known = f'"{filed.version}"'

    assigned = assign.sync(client=secretary, id=str(filed.id), body=to_water, if_match=known)

    assert (assigned.state, assigned.department) == ("assigned", "water")


def test_a_refusal_is_a_problem_with_its_type(generated, secretary):
    get_ticket = generated(".api.tickets.get_ticket")

    answer = get_ticket.sync_detailed(client=secretary, id="0198c0de-0000-7000-8000-000000000042")

    assert answer.status_code == HTTPStatus.NOT_FOUND
    assert isinstance(answer.parsed, generated(".models").Problem)
    assert answer.parsed.type_ == "/problems/unknown_ticket"
