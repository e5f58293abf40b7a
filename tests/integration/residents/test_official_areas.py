"""The official areas: loaded, looked up, and taken into the tree."""

import psycopg2
import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.orm import Session

from chassis import migrate
from chassis.errors import Invalid
from chassis.testing.sessions import rolled_back
from services.residents import official_areas, official_load
from services.residents.entrypoints.official import SearchOfficialAreas
from tests.integration.residents.official import FILES, archive
from tests.integration.residents.world import World, caller


@pytest.fixture(scope="module")
def urls(postgres, tmp_path_factory):
    urls = postgres.create_service_database("residents")
    migrate.upgrade("services.residents", urls["owner_url"], "linli_residents")
    file = archive(tmp_path_factory.mktemp("npm") / "official.tgz")
    assert official_load.load(file, urls["app_url"]) == 11
    return urls


@pytest.fixture(scope="module")
def engine(urls):
    engine = create_engine(urls["app_url"])
    yield engine
    engine.dispose()


@pytest.fixture
def session(engine):
    with rolled_back(engine) as session:
        yield session


def search(session, q, **more):
    return official_areas.search(session, SearchOfficialAreas().load({"q": q, **more}))["items"]


def codes(found):
    return [each["code"] for each in found]


def test_loading_again_replaces_what_was_there(urls, engine, tmp_path):
    villages = [FILES["villages"][0], '340603009001,"陈庄北社区居委会",340603009,34,3406,340603']
    other = archive(tmp_path / "other.tgz", villages=villages)
    same = archive(tmp_path / "same.tgz")

    assert official_load.load(other, urls["app_url"]) == 8
    with Session(engine) as session:
        assert [each["name"] for each in search(session, "陈庄")] == ["陈庄北社区居委会"]
    assert official_load.load(same, urls["app_url"]) == 11


def test_a_broken_archive_leaves_what_was_there(urls, engine, tmp_path):
    broken = archive(tmp_path / "broken.tgz", villages=["nocode,name", "1,x"])

    with pytest.raises(psycopg2.Error):
        official_load.load(broken, urls["app_url"])

    with Session(engine) as session:
        assert len(search(session, "陈庄")) == 4


def test_who_is_called_so_comes_before_whose_name_begins_so(session):
    found = search(session, "陈庄")

    assert [each["name"] for each in found] == [
        "陈庄社区居民委员会",
        "陈庄",
        "陈庄村委会",
        "陈庄新村社区居委会",
    ]
    assert search(session, " 陈 庄 社 区")[:3] == found[:3]
    assert found[0] == {
        "code": "340603009001",
        "level": "community",
        "parent": "340603009000",
        "name": "陈庄社区居民委员会",
        "short_name": "陈庄社区",
        "above": ["安徽省", "淮北市", "杜集区", "高岳街道"],
    }


def test_areas_are_found_under_another_one_and_by_the_beginning_of_their_code(session):
    assert codes(search(session, "陈庄", under="441900000000")) == ["441900003001"]
    assert codes(search(session, "陈庄", under="340600000000", limit=1)) == ["340603009001"]
    assert codes(search(session, "340603")) == [
        "340603000000",
        "340603009000",
        "340603009001",
        "340603009002",
        "340603009003",
    ]
    assert search(session, "%") == search(session, "\\") == []


def test_a_city_that_is_its_own_district_is_the_district(session):
    (found,) = search(session, "东莞")

    assert (found["code"], found["level"], found["above"]) == (
        "441900000000",
        "district",
        ["广东省"],
    )


def test_a_community_is_added_by_its_code_alone_with_what_holds_it(session):
    world = World(session)

    added = world.add_official("340603009001")

    assert (added["name"], added["parent"]) == ("陈庄社区", "340603009000")
    assert world.area("340603009000")["name"] == "高岳街道"
    assert world.area("340603000000")["name"] == "杜集区"
    assert [event["subject"] for event in world.events("area")] == [
        "340603000000",
        "340603009000",
        "340603009001",
    ]


def test_a_name_that_is_given_is_kept_and_the_same_command_adds_once(session):
    world = World(session)
    call = caller()

    first = world.add_official("340603009001", name="我们的社区", call=call)
    second = world.add_official("340603009001", name="我们的社区", call=call)

    assert first == second
    assert first["name"] == "我们的社区"
    assert len(world.events("area")) == 3


def test_what_is_not_official_needs_its_name_and_what_holds_it(session):
    world = World(session)
    world.add_official("340603009001")

    for code, pointer, fault in (
        ("340603009001.e1", "/name", "required"),
        ("999999001001", "/name", "required"),
    ):
        with pytest.raises(Invalid) as refused:
            world.add_official(code)
        assert (refused.value.errors[0]["pointer"], refused.value.errors[0]["code"]) == (
            pointer,
            fault,
        )
    with pytest.raises(Invalid) as refused:
        world.add_area("999999001001")
    assert refused.value.errors[0]["code"] == "unknown_parent"


def test_each_search_is_a_range_of_an_index_in_the_order_of_the_answer(engine):
    with Session(engine) as session, session.begin():
        session.execute(
            text(
                "INSERT INTO official_areas SELECT lpad((510000000000 + n)::text, 12, '0'),"
                " 'community', NULL, chr(19968 + n % 5000) || n || '社区',"
                " chr(19968 + n % 5000) || n"
                " FROM generate_series(1, 20000) n"
            )
        )
        for query, index in (
            ("code LIKE '3406%' ORDER BY code", "official_areas_pkey"),
            (
                "alias = '陈庄' AND code LIKE '3406%' ORDER BY code",
                "official_areas_alias_code",
            ),
            ("name LIKE '陈%' AND alias <> '陈' ORDER BY name, code", "official_areas_name_code"),
        ):
            plan = session.scalars(
                text(f"EXPLAIN SELECT * FROM official_areas WHERE {query} LIMIT 20")
            ).all()
            assert index in "\n".join(plan), plan
            assert "Sort" not in "\n".join(plan)
        session.rollback()
