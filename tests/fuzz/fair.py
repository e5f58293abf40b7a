"""Refusals of well-formed data that are fair: what no schema can know, each with its reason."""

from collections.abc import Mapping
from typing import Any

FAIR: Mapping[str, str] = {
    "idempotency_key_reused": "keys that are drawn at random repeat",
    "invalid_cursor": "a cursor is opaque: only the list that gave it can tell it from other text",
    "bad_cursor": "the same, of other lists",
    "unknown_area": "which places there are, the schema cannot know",
    "unknown_parent": "the same, of the place right above",
    "unknown_department": "the same, of departments",
    "unknown_person": "the same, of people",
    "unknown_category": "the same, of categories",
    "inactive_department": "nor which of them are closed",
    "category_is_a_group": "nor which of them only hold others",
    "area_too_wide": "which level is narrow enough depends on what it is for",
    "no_grid": "which places lie in a grid stands in the tree",
    "no_building": "the same, of a building",
    "period_too_long": "two days that are each in order may lie too far apart",
    "in_the_future": "what the time is, no schema knows",
    "only_by_call": "some answers are for those who called, others for those who were",
    "not_a_spreadsheet": "bytes are bytes",
    "not_on_duty": "who is on duty today is nothing that a schema knows",
    "not_of_department": "whose clerk somebody is neither",
    "before_start": "two dates that are each in order need not be so together",
    "before_last_move": "nor need when something happened and what was done last",
    "not_a_member": "who lives where, the schema cannot know",
    "unknown_purpose": "of what there are messages is nothing that a schema knows",
    "unknown_channel": "nor by which channels each is told",
    "cannot_be_turned_off": "nor which people need",
    "unknown_part": "which parts a template has hangs on its channel",
    "missing_part": "the same",
    "empty_part": "what a template says is in a language of its own",
    "too_long": "the same: how long it may be hangs on the part",
    "template_syntax": "the same",
    "not_in_templates": "the same",
    "unknown_variable": "the same",
    "missing_variable": "the same",
    "absent_variable": "the same",
    "too_many_segments": "the same",
    "malformed_url": "what is a URL in every respect, no pattern says",
    "https_required": "plain HTTP is for networks that a setting names",
    "user_in_url": "what stands where in a URL, no pattern says",
    "fragment_in_url": "the same",
    "address_refused": "which addresses are inside, and in which notations, neither",
    "not_this_robot": "whose robots an address is of hangs on the format",
    "no_robot_secret": "so does whether there is a secret",
    "not_for_robots": "so does whether there is somebody to ask first",
    "unknown_event_type": "which events there are stands in contracts/",
    "department_required": "whoever works for one department need not name it",
}
FAIR_OF_A_FIELD: Mapping[tuple[str, str], str] = {
    ("id_number", "invalid_value"): "GB 11643 has a check digit",
    ("phone", "invalid_value"): "which numbers are given out is in no pattern",
    ("part", "invalid_value"): "which tickets of a rate: only together with `rate`",
    ("as_of", "invalid_value"): "the same",
    ("direct", "invalid_value"): "the same",
    ("reopen", "invalid_value"): "who says that it is solved has nothing to open again",
    ("satisfied", "invalid_value"): "of somebody who was not reached nothing else can be said",
    ("contacted", "invalid_value"): "the same",
    ("tag", "invalid_value"): "which care tags there are is in their own list",
    ("quiet_hours/to", "invalid_value"): "two times of day that are the same are no hours",
    ("to", "invalid_value"): "two moments that are each in order need not be so together",
    ("level", "invalid_value"): "a place's level is that of the last letter of its code",
    ("file", "empty_file"): "nor for how long a file is",
    ("file", "required"): "OpenAPI has no word for a part that is a file: one with a file's name",
    ("name", "required"): "only a place that is official brings a name of its own",
    ("reason", "required"): "people erase themselves without one, and nobody else",
    ("area", "required"): "only some roles need one",
    ("department", "required"): "the same",
    ("area", "wrong_level"): "each role is held at levels of its own",
    ("area", "not_for_role"): "some roles are held in a department",
    ("department", "not_for_role"): "most roles are held in an area",
}

OF_ATTRIBUTES = frozenset({"unknown_attribute", "required", "invalid_value"})
"""What a category asks, and which answers it takes, stands in the tree of categories."""


def is_fair(problem: Mapping[str, Any]) -> bool:
    """Whether all that a refusal objects to is beyond what a schema can say."""
    faults = problem.get("errors") or [{"code": problem["type"].removeprefix("/problems/")}]
    return all(_is_fair(fault) for fault in faults)


def _is_fair(fault: Mapping[str, str]) -> bool:
    pointer, code = fault.get("pointer", ""), fault["code"]
    of_its_field = any(
        pointer.endswith(f"/{field}") for field, known in FAIR_OF_A_FIELD if known == code
    )
    of_attributes = pointer.startswith("/attributes/") and code in OF_ATTRIBUTES
    return code in FAIR or of_its_field or of_attributes
