"""An operation that is going away says so, in the document and in each answer."""

from datetime import datetime
from email.utils import parsedate_to_datetime
from pathlib import Path

import pytest
import requests

from chassis import clock
from chassis.testing import eventually
from chassis.testing.processes import ServiceProcess

# Read, not imported: here the gateway has no such operation.
EARLIER = Path(__file__).parent / "earlier.py"
ORIGIN = "https://pages.example"


@pytest.fixture(scope="module")
def package(tmp_path_factory):
    """A service is a package with its migrations; these are the gateway's."""
    folder = tmp_path_factory.mktemp("earlier")
    made = folder / "earlier_gateway"
    made.mkdir()
    (made / "__init__.py").touch()
    (made / "service.py").write_text(EARLIER.read_text())
    (made / "migrations").symlink_to(Path("services/gateway/migrations").resolve())
    return folder


@pytest.fixture(scope="module")
def url(town, free_port, package):
    """Where one more gateway serves, which still has the operation."""
    port = free_port()
    environ = {**town.environ, "LINLI_HTTP_PORT": str(port), "PYTHONPATH": str(package)}
    with ServiceProcess("earlier_gateway.service:EarlierGateway", environ) as process:
        url = f"http://127.0.0.1:{port}"

        def ready():
            assert process.running, process.log
            try:
                return get(f"{url}/readyz").ok
            except requests.ConnectionError:
                return False

        eventually(ready, within=30)
        yield url


def get(url, **headers):
    with requests.Session() as session:
        session.trust_env = False
        return session.get(url, headers=headers, timeout=15)


@pytest.mark.parametrize("path", ["places", "places?limit=none"])
def test_each_answer_says_since_when_and_until_when_and_what_follows(url, path):
    answer = get(f"{url}/api/v1/{path}")

    assert answer.status_code == (422 if "none" in path else 200)
    since = int(answer.headers["Deprecation"].removeprefix("@"))
    assert datetime.fromtimestamp(since, clock.ZONE) == datetime(2026, 11, 1, tzinfo=clock.ZONE)
    sunset = parsedate_to_datetime(answer.headers["Sunset"])
    assert clock.local(sunset) == datetime(2027, 5, 1, tzinfo=clock.ZONE)
    assert answer.headers["Sunset"].endswith(" GMT")
    assert '</api/v1/areas>; rel="successor-version"' in answer.headers["Link"]


def test_its_next_page_is_linked_besides(url):
    answer = get(f"{url}/api/v1/places")

    assert set(answer.links) == {"next", "successor-version"}


def test_pages_of_other_sites_may_read_it(url):
    exposed = get(f"{url}/api/v1/places", Origin=ORIGIN).headers["Access-Control-Expose-Headers"]

    assert {"Deprecation", "Sunset", "Link"} <= set(exposed.split(", "))


def test_the_document_says_the_same(url):
    document = get(f"{url}/api/openapi.json").json()
    declared = document["paths"]["/api/v1/places"]["get"]

    assert declared["deprecated"] is True
    assert declared["x-sunset"] == "2027-05-01"
    assert {"Deprecation", "Sunset", "Link"} <= set(declared["responses"]["200"]["headers"])


def test_what_stays_says_nothing_of_it(url):
    answer = get(f"{url}/api/v1/categories")

    assert answer.status_code == 200
    assert not {"Deprecation", "Sunset"} & set(answer.headers)
