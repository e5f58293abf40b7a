"""Categories, tickets and their changes as the standard's services, requests and updates, and its
forms as filings.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from services.gateway.open311 import words

Json = dict[str, Any]
Item = Mapping[str, Any]


def services(categories: Sequence[Item]) -> list[Json]:
    """The leaves of the category tree; a group is the parent's name."""
    by_code = {category["code"]: category for category in categories}
    return [_service(leaf, by_code[leaf["parent"]]) for leaf in categories if leaf["parent"]]


def _service(leaf: Item, group: Item) -> Json:
    return {
        "service_code": leaf["code"],
        "service_name": leaf["name"],
        "description": f"{group['name']}: {leaf['name']}",
        "metadata": bool(leaf["attributes"]),
        "type": "realtime",
        "keywords": ", ".join([*leaf["names"].values(), *group["names"].values()]),
        "group": group["name"],
    }


def definition(leaf: Item) -> Json:
    """What a service asks besides."""
    return {
        "service_code": leaf["code"],
        "attributes": [_attribute(attribute) for attribute in leaf["attributes"]],
    }


def _attribute(attribute: Item) -> Json:
    values = {"values": attribute["values"]} if attribute["values"] else {}
    return {
        "variable": True,
        "code": attribute["code"],
        "datatype": attribute["datatype"],
        "required": attribute["required"],
        "datatype_description": None,
        "order": attribute["order"],
        "description": attribute["description"],
        **values,
    }


def request(ticket: Item, locale: str, categories: Mapping[str, Item] | None = None) -> Json:
    """A ticket as a request. With `categories`, by code, also what the standard does not know, as
    its extension for attributes has it.
    """
    location = ticket["location"] or {"lat": None, "lon": None}
    told = {
        "service_request_id": ticket["id"],
        "status": words.status(ticket["state"]),
        "status_notes": words.notes(ticket["state"], locale),
        "service_name": ticket["category_name"],
        "service_code": ticket["category"],
        "description": ticket["description"],
        "agency_responsible": ticket["department_name"],
        "service_notice": None,
        "requested_datetime": _seconds(ticket["filed_at"]),
        "updated_datetime": _seconds(ticket["updated_at"]),
        # Nothing has promised a time yet.
        "expected_datetime": None,
        "address": ticket["address"] or " ".join(each["name"] for each in ticket["area_path"]),
        "address_id": ticket["area"],
        "zipcode": None,
        "lat": location["lat"],
        "long": location["lon"],
        "media_url": ticket["media_url"],
    }
    if categories is not None:
        told |= _extensions(ticket, categories.get(ticket["category"], {"attributes": []}))
    return told


def _extensions(ticket: Item, category: Item) -> Json:
    asked = {attribute["code"]: attribute for attribute in category["attributes"]}
    return {
        "attributes": [
            {"code": code, "label": _label(asked.get(code), code), "value": _answer(answer)}
            for code, answer in ticket["attributes"].items()
        ],
        "extended_attributes": {
            "number": ticket["number"],
            "state": ticket["state"],
            "channel": ticket["channel"],
        },
    }


def _label(attribute: Item | None, code: str) -> str:
    return str(attribute["description"]) if attribute else code


def _answer(answer: Any) -> Any:
    return ",".join(answer) if isinstance(answer, list) else answer


def update(change: Item, locale: str) -> Json:
    """A change of a ticket as an update of its request."""
    return {
        "update_id": update_id(change),
        "service_request_id": change["ticket"],
        "status": words.status(change["state"]),
        "updated_datetime": _seconds(change["recorded_at"]),
        "description": change["text"] or words.notes(change["state"], locale),
        "media_url": None,
    }


def update_id(change: Item) -> str:
    """By which change of which ticket it is."""
    return f"{change['ticket']}-{change['sequence']}"


def _seconds(moment: str) -> str:
    """An RFC 3339 moment without fractions, which some clients cannot read."""
    day_and_time, fraction, rest = moment.partition(".")
    return f"{day_and_time}{rest.lstrip('0123456789')}" if fraction else moment


def filing(form: Item, area: str) -> Json:
    """A form as a filing in `area`; its reporter is named when there is a phone."""
    same = ("description", "media_url", "attributes", "visibility")
    told = {name: form[name] for name in same if name in form}
    told |= {"address": form["address_string"]} if "address_string" in form else {}
    if "lat" in form:
        told["location"] = {"lat": form["lat"], "lon": form["long"]}
    if "phone" in form:
        named = name(form)
        told["reporter"] = {**({"name": named} if named else {}), "phone": form["phone"]}
    return {
        "kind": "request",
        "channel": "open311",
        "category": form["service_code"],
        "area": area,
        **told,
    }


def name(form: Item) -> str:
    """The name that a form gives, empty without one: a Chinese one is written family name first,
    without a space.
    """
    given, family = form.get("first_name", ""), form.get("last_name", "")
    western = f"{given} {family}".strip()
    return western if western.isascii() else f"{family}{given}"
