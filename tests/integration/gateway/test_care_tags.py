"""Care tags over HTTP: for the secretary, and for nobody else."""

from uuid import uuid4

import pytest

from tests.integration.gateway.town import BUILDING


@pytest.fixture
def elder(town):
    return town.clerk.make("residents", {"name": "孙婆婆", "area": BUILDING})["id"]


def test_a_secretary_keeps_the_list_of_who_needs_attention(town, elder):
    path = f"residents/{elder}/care-tags"
    body, key = {"tag": "elder_alone", "note": "每周三上门"}, {"Idempotency-Key": str(uuid4())}

    given = town.secretary.make(path, body, headers=key)
    again = town.secretary.make(path, body, headers=key)
    kinds = town.secretary.get("care-tags/kinds").json()["items"]
    listed = town.secretary.get(f"care-tags?within={BUILDING}&tag=elder_alone").json()["items"]
    twice = town.secretary.post(path, body)
    ended = town.secretary.make(f"{path}/{given['id']}/ending", {})

    assert again == given
    assert {"code": "elder_alone", "names": {"zh": "独居老人", "en": "Elder living alone"}} in kinds
    assert (elder, BUILDING) in {(item["resident"], item["area"]) for item in listed}
    assert (twice.status_code, twice.json()["type"]) == (409, "/problems/care_tag_given")
    assert ended["to"] is not None
    assert town.secretary.get(path).json()["items"] == [ended]


@pytest.mark.parametrize(
    "who", ["clerk", "grid_worker", "resident", "water_clerk", "administrator"]
)
def test_nobody_else_can_tell_whether_somebody_has_a_tag(town, elder, who):
    client, path = town.people[who], f"residents/{elder}/care-tags"
    tag = town.secretary.make(path, {"tag": "disabled"})["id"]
    unknown = f"residents/{uuid4()}/care-tags"

    for answer in (
        client.get(path),
        client.get(unknown),
        client.post(path, {"tag": "disabled"}),
        client.post(unknown, {"tag": "disabled"}),
        client.post(f"{path}/{tag}/ending", {}),
    ):
        assert (answer.status_code, answer.json()["type"]) == (404, "/problems/not_found")
    assert client.get("care-tags").status_code == 403
    assert client.get("care-tags/kinds").status_code == 403


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"tag": "rich"}, "/tag"),
        ({"tag": "disabled", "from": "2999-01-01"}, "/from"),
        ({"tag": "disabled", "note": ""}, "/note"),
    ],
)
def test_what_does_not_fit_is_pointed_at(town, elder, body, pointer):
    refused = town.secretary.post(f"residents/{elder}/care-tags", body)

    assert refused.status_code == 422
    assert [fault["pointer"] for fault in refused.json()["errors"]] == [pointer]
