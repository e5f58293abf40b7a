"""The documentation that the gateway serves."""

import re

import pytest

from services.gateway import openapi


def test_the_document_is_served_and_not_sent_twice(town):
    answer = town.nobody.get("/api/openapi.json")

    again = town.nobody.get("/api/openapi.json", headers={"If-None-Match": answer.headers["ETag"]})

    assert answer.json() == openapi.document()
    assert again.status_code == 304


def test_the_page_and_all_that_it_loads_come_from_here(town):
    page = town.nobody.get("/api/docs")
    loaded = re.findall(r'(?:src|href)="([^"]+)"', page.text)

    assert loaded
    assert all(path.startswith("/api/") for path in loaded)
    assert {town.nobody.get(path).status_code for path in loaded} == {200}
    assert "default-src 'none'" in page.headers["Content-Security-Policy"]
    assert "unsafe-inline" not in page.headers["Content-Security-Policy"].split("style-src")[0]


def test_what_is_tried_on_the_page_may_be_sent_and_read_from_there(town):
    """What Swagger UI does with the document: asks for a token, and sends it to the page's host."""
    page, start = town.nobody.get("/api/docs"), town.nobody.get("/api/docs/start.js")
    document = town.nobody.get("/api/openapi.json").json()
    here = {"Origin": town.nobody.url, "Sec-Fetch-Site": "same-origin"}

    assert "tryItOutEnabled: true" in start.text
    assert "connect-src 'self'" in page.headers["Content-Security-Policy"]
    assert "servers" not in document
    bearer = {"type": "http", "scheme": "bearer"}
    assert document["components"]["securitySchemes"] == {"bearer": bearer}
    assert town.clerk.get("sessions/current", headers=here).status_code == 200
    assert town.nobody.get("sessions/current", headers=here).status_code == 401


@pytest.mark.parametrize("name", ["nothing.js", "..%2f__init__.py", "index.html"])
def test_nothing_else_is_served_beside_it(town, name):
    assert town.nobody.get(f"/api/docs/{name}").status_code == 404


def test_a_problem_explains_itself_at_its_type(town):
    problem = town.nobody.get("areas/x").json()

    english = town.nobody.get(problem["type"])
    chinese = town.nobody.get(problem["type"], headers={"Accept-Language": "zh"})

    assert problem["title"] in english.text
    assert "没有找到" in chinese.text
    assert town.nobody.get("/problems/never_heard_of").status_code == 404
