"""What can be asked for by Open311, and in which form it is told."""

import pytest

from tests.integration.gateway.open311 import ROOT, errors, parsed, read


def test_discovery_says_where_it_is_and_in_which_formats(town):
    told = read(town.nobody, "discovery.json")

    (endpoint,) = told["endpoints"]
    assert endpoint["url"] == f"{town.url}{ROOT}"
    assert endpoint["specification"] == "http://wiki.open311.org/GeoReport_v2"
    assert endpoint["formats"] == ["text/xml", "application/json"]
    assert told["contact"]
    assert told["key_service"]


def test_xml_and_json_say_the_same_by_the_spark_convention(town):
    services = read(town.nobody, "services.json")
    answer = town.nobody.get(f"{ROOT}/services.xml")

    assert answer.content.startswith(b"<?xml version='1.0' encoding='utf-8'?>")
    root = parsed(answer)
    assert (root.tag, {child.tag for child in root}) == ("services", {"service"})
    told = [{field.tag: field.text for field in service} for service in root]
    as_text = [{**each, "metadata": str(each["metadata"]).lower()} for each in services]
    assert told == as_text


def test_services_are_the_leaves_of_the_category_tree(town):
    by_code = {each["service_code"]: each for each in read(town.nobody, "services.json")}

    assert "water" not in by_code
    assert by_code["water.no_supply"] == {
        "service_code": "water.no_supply",
        "service_name": "No water",
        "description": "Water and sewerage: No water",
        "metadata": True,
        "type": "realtime",
        "keywords": "停水, No water, 供水排水, Water and sewerage",
        "group": "Water and sewerage",
    }
    assert by_code["roads.pothole"]["metadata"] is False


def test_the_language_is_the_parameters_or_the_headers_or_chinese(town):
    def name(headers=None, **params):
        answer = town.nobody.get(f"{ROOT}/services.json", headers=headers, params=params)
        return {each["service_code"]: each["service_name"] for each in answer.json()}[
            "water.no_supply"
        ]

    assert name() == "No water"  # The clients of these tests say that they read English.
    assert name({"Accept-Language": "zh-CN"}) == "停水"
    assert name({"Accept-Language": "fr"}) == "停水"
    assert name(locale="zh-CN") == "停水"


def test_a_definition_has_what_is_asked_besides(town):
    told = read(town.nobody, "services/consumer.broadband.json")

    assert told["service_code"] == "consumer.broadband"
    operator, since = told["attributes"]
    assert (operator["code"], operator["datatype"], operator["required"], operator["order"]) == (
        *("operator", "singlevaluelist", True, 1),
    )
    assert {"key": "unicom", "name": "China Unicom"} in operator["values"]
    assert (since["datatype"], since["variable"], since["datatype_description"]) == (
        *("datetime", True, None),
    )
    root = parsed(town.nobody.get(f"{ROOT}/services/consumer.broadband.xml"))
    assert root.tag == "service_definition"
    assert root.findtext("attributes/attribute/values/value/key") == "telecom"
    assert read(town.nobody, "services/roads.pothole.json")["attributes"] == []


@pytest.mark.parametrize("code", ["water", "water.wine", "nothing"])
def test_a_service_that_is_not_there_is_404(town, code):
    errors(town.nobody.get(f"{ROOT}/services/{code}.json"), 404)
    errors(town.nobody.get(f"{ROOT}/services/{code}.xml"), 404)


def test_the_format_is_the_endings_or_the_headers_or_xml(town):
    def media_type(path, accept):
        answer = town.nobody.get(f"{ROOT}/{path}", headers={"Accept": accept})
        return answer.headers["Content-Type"]

    xml, json = "text/xml; charset=utf-8", "application/json; charset=utf-8"
    assert media_type("services", "*/*") == xml
    assert media_type("services", "application/json") == json
    assert media_type("services", "text/html, application/xml;q=0.9") == xml
    assert media_type("services.json", "text/xml") == json
    assert media_type("services.xml", "application/json") == xml
    assert media_type("services/roads.pothole", "application/json") == json
