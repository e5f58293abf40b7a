"""Who may do what: one table, role × reach × operation, and nothing else.

A reach says how the thing must lie towards whoever asks. The gateway only picks the rows of a
caller's roles and sends them along; whether a reach holds for a thing is for the service to say
that owns the thing. `python -m services.gateway.policy` prints the table.
"""

import sys
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from chassis.call import Grant

REACHES: Mapping[str, str] = {
    "own": "the caller reported the ticket, or what is kept is about the caller; a ticket that one "
    "wrote down for somebody, or that somebody raised for one, is not one's own",
    "holder": "the caller has it now: accepted it, or is its assignee",
    "public": "it was filed for everybody to see",
    "area": "it lies in the area of the caller's duty, or below",
    "department": "it concerns the department of the caller's duty",
    "any": "whatever it is",
}

OPERATIONS: Mapping[str, str] = {
    "read": "see a ticket, its history and its public comments",
    "file": "file a ticket",
    "file_on_behalf": "file a ticket for somebody else",
    "acceptance": "accept a ticket",
    "refusal": "refuse a ticket",
    "assignment": "assign a ticket to a department or a person",
    "override": "assign a ticket that is being worked on, or that was sent back twice",
    "work": "start work on a ticket",
    "send-back": "send a ticket back to who assigned it",
    "resolution": "resolve a ticket",
    "follow-up": "say whether a ticket is solved: its reporter, or who has called them",
    "call-list": "see whom to call about resolved tickets",
    "reopening": "open a resolved or closed ticket again",
    "withdrawal": "withdraw a ticket",
    "comments": "comment on a ticket",
    "internal_comments": "read and write comments that residents do not see",
    "amendment": "correct a ticket's category, title, location or visibility",
    "exclusion": "say that a ticket does not count in a rate",
    "ledger.read": "keep the ledger: all tickets of a period, as a file",
    "figures.read": "see the rates, and what was excluded from them",
    "categories.read": "see what requests are about",
    "areas.read": "see the area tree",
    "areas.write": "add and rename areas",
    "departments.read": "see the departments",
    "departments.write": "add and change departments",
    "department_clerks.read": "see who works for a department",
    "duties.read": "see who has which duty",
    "duties.write": "start and end duties",
    "residents.read": "see residents, masked",
    "residents.write": "register and amend residents",
    "households.read": "see households and who lives in them",
    "households.write": "register, amend and close households, and say who lives in them",
    "residents.disclose": "see personal data of residents in full, for a reason",
    "residents.consent": "note what a resident agrees to, and takes back",
    "residents.export": "have all that is held on a resident",
    "residents.erase": "erase a resident's personal data",
    "residents.audit": "see who used or was refused personal data",
    "care_tags.read": "see who needs regular attention, and why",
    "care_tags.write": "say who needs regular attention, and why",
    "inbox.read": "read one's inbox",
    "inbox.write": "mark a message of one's inbox as read",
    "preferences.read": "see what one hears of, and how",
    "preferences.write": "choose what one hears of, and how",
    "events.read": "read the event feed and stream",
    "deliveries.read": "see what became of messages to people",
    "templates.read": "see and try what messages say",
    "templates.write": "change what messages say",
    "webhooks.read": "see where events are sent, and what became of them",
    "webhooks.write": "have events sent somewhere, and sent again",
    "accounts.write": "give people a login and a password",
    "api_keys.write": "make, list and revoke API keys",
    "import": "say when something happened that is written down later",
}

_PUBLIC = frozenset({"categories.read", "areas.read", "departments.read"})
_HOLDING = frozenset(
    {"read", "work", "send-back", "resolution", "comments", "internal_comments", "events.read"}
)
_NEIGHBOURHOOD = frozenset({"read", "file_on_behalf", "comments", "internal_comments"})
_CLERK = _NEIGHBOURHOOD | {
    "acceptance", "refusal", "assignment", "amendment", "follow-up", "call-list",
    "residents.read", "residents.write", "residents.disclose", "residents.consent",
    "households.read", "households.write", "duties.read", "events.read", "figures.read",
    "ledger.read",
}  # fmt: skip

Row = Mapping[str, frozenset[str]]

_GRID: Row = {
    "area": _NEIGHBOURHOOD
    | {
        "acceptance", "events.read",
        # Whoever goes from door to door records who lives there.
        "households.read", "households.write", "residents.read", "residents.write",
    },
    "holder": _HOLDING,
}  # fmt: skip
_NEIGHBOUR: Row = {"area": _NEIGHBOURHOOD, "holder": _HOLDING}

# A person has the row of `resident` and, unless a one-time code let them in, those of their duties;
# an API key those of its owner and `machine`, narrowed by its scopes.
TABLE: Mapping[str, Row] = {
    "anonymous": {
        # Somebody without a session may leave a phone, whose owner then is the reporter.
        "any": _PUBLIC | {"file", "file_on_behalf"},
        "public": frozenset({"read"}),
    },
    "resident": {
        "any": _PUBLIC | {"file"},
        "own": frozenset(
            {
                "read", "comments", "withdrawal", "follow-up", "reopening",
                "residents.read", "residents.write", "residents.audit", "residents.consent",
                "residents.export", "residents.erase", "households.read",
                "inbox.read", "inbox.write", "preferences.read", "preferences.write",
                "events.read",
            }
        ),
        "public": frozenset({"read", "events.read"}),
    },
    "grid_worker": _GRID,
    "grid_head": _GRID,
    "building_chief": _NEIGHBOUR,
    "anchor_household": _NEIGHBOUR,
    "mediator": _NEIGHBOUR,
    "clerk": {"area": _CLERK, "holder": _HOLDING},
    "secretary": {
        "area": _CLERK
        | {
            "override", "reopening", "exclusion", "residents.audit",
            "care_tags.read", "care_tags.write",
        },
        # Departments lie in no area.
        "any": frozenset({"department_clerks.read"}),
        "holder": _HOLDING,
    },
    "department_clerk": {
        # What people bring to a department, such as a hotline, it files for them.
        "any": _PUBLIC | {"file", "file_on_behalf"},
        "department": _HOLDING
        | {"figures.read", "department_clerks.read", "webhooks.read", "webhooks.write"},
    },
    "administrator": {
        "any": frozenset(
            {
                "areas.write", "departments.write", "department_clerks.read",
                "duties.read", "duties.write",
                "residents.read", "residents.write", "households.read", "households.write",
                "events.read", "accounts.write", "api_keys.write", "deliveries.read",
                "templates.read", "templates.write", "webhooks.read", "webhooks.write",
                "residents.erase", "residents.export",
                "residents.audit",
            }
        ),
    },
    "machine": {"any": _PUBLIC | {"import"}},
}  # fmt: skip

_TICKETS_WRITE = frozenset(
    {
        "file", "file_on_behalf", "acceptance", "refusal", "assignment", "override", "work",
        "send-back", "resolution", "follow-up", "reopening", "withdrawal", "comments",
        "internal_comments", "amendment", "exclusion",
    }
)  # fmt: skip

# What each scope of an API key leaves of its owner's rows. What anybody may read needs no scope.
SCOPES: Mapping[str, frozenset[str]] = {
    "tickets:read": frozenset({"read", "call-list"}),
    "tickets:write": _TICKETS_WRITE,
    "figures:read": frozenset({"figures.read", "ledger.read"}),
    "events:read": frozenset({"events.read"}),
    "import": frozenset({"import"}),
    "areas:write": frozenset({"areas.write"}),
    "departments:write": frozenset({"departments.write"}),
    "duties:read": frozenset({"duties.read", "department_clerks.read"}),
    "duties:write": frozenset({"duties.write"}),
    "residents:read": frozenset({"residents.read"}),
    "residents:write": frozenset({"residents.write"}),
    "residents:disclose": frozenset({"residents.disclose"}),
    "residents:consent": frozenset({"residents.consent"}),
    "residents:export": frozenset({"residents.export"}),
    "residents:erase": frozenset({"residents.erase"}),
    "audit:read": frozenset({"residents.audit"}),
    "households:read": frozenset({"households.read"}),
    "households:write": frozenset({"households.write"}),
    "care-tags:read": frozenset({"care_tags.read"}),
    "care-tags:write": frozenset({"care_tags.write"}),
    "inbox:read": frozenset({"inbox.read"}),
    "inbox:write": frozenset({"inbox.write"}),
    "preferences:read": frozenset({"preferences.read"}),
    "preferences:write": frozenset({"preferences.write"}),
    "deliveries:read": frozenset({"deliveries.read"}),
    "templates:read": frozenset({"templates.read"}),
    "templates:write": frozenset({"templates.write"}),
    "webhooks:read": frozenset({"webhooks.read"}),
    "webhooks:write": frozenset({"webhooks.write"}),
    "accounts:write": frozenset({"accounts.write"}),
    "api-keys:write": frozenset({"api_keys.write"}),
}


@dataclass(frozen=True)
class Role:
    """A row of the table, and what its reaches `area` and `department` mean for its holder."""

    role: str
    area: str | None = None
    department: str | None = None

    def to_json(self) -> dict[str, str]:
        """As in the API and in a call's context: only what there is."""
        parts = {"role": self.role, "area": self.area, "department": self.department}
        return {name: value for name, value in parts.items() if value}


def grants_for(roles: Iterable[Role], scopes: Collection[str] | None = None) -> tuple[Grant, ...]:
    """What `roles` allow together, one grant a reach; with `scopes` (an API key's), only what those
    leave of it.
    """
    left = None if scopes is None else _left_by(scopes)
    merged: dict[str, frozenset[str]] = {}
    for role in roles:
        for reach, operations in TABLE.get(role.role, {}).items():
            name = _reach_of(reach, role)
            if name:
                merged[name] = merged.get(name, frozenset()) | operations
    narrowed = {name: may if left is None else may & left for name, may in merged.items()}
    return tuple(Grant(name, may) for name, may in sorted(narrowed.items()) if may)


def allows(grants: Iterable[Grant], operation: str) -> bool:
    """Whether the operation is allowed in any reach at all."""
    return any(operation in grant.may for grant in grants)


def _left_by(scopes: Collection[str]) -> frozenset[str]:
    return _PUBLIC.union(*(SCOPES.get(scope, frozenset()) for scope in scopes))


def _reach_of(reach: str, role: Role) -> str | None:
    """The reach with its code, such as `area:340603008002`; None when the role has no such code."""
    if reach not in ("area", "department"):
        return reach
    code = role.area if reach == "area" else role.department
    return f"{reach}:{code}" if code else None


_SCOPES_HEAD = (
    "## Scopes of API keys",
    "",
    "A key makes keys with its own scopes only, and logins only if it has every scope.",
    "",
    "| scope | leaves |",
    "| --- | --- |",
)


def matrix() -> str:
    """The table as Markdown, for docs/permissions.md."""
    roles = list(TABLE)
    lines = [
        "# Permissions",
        "",
        "Generated by `python -m services.gateway.policy` from the one table there is.",
        "A cell names the reaches in which a role may do the operation; an empty cell means never.",
        "Everybody who is signed in as a person is a `resident` besides their duties.",
        "Who signed in by a one-time code is a `resident` only: duties need login and password, or",
        "an API key.",
        "",
        _line("operation", *(f"`{role}`" for role in roles)),
        _line("---", *("---" for _ in roles)),
    ]
    for operation, meaning in OPERATIONS.items():
        cells = (", ".join(_reaches(role, operation)) for role in roles)
        lines.append(_line(f"`{operation}`: {meaning}", *cells))
    lines += ["", "## Reaches", ""]
    lines += [f"- `{reach}`: {meaning}" for reach, meaning in REACHES.items()]
    lines += ["", *_SCOPES_HEAD]
    for scope, operations in SCOPES.items():
        lines.append(_line(f"`{scope}`", ", ".join(f"`{name}`" for name in sorted(operations))))
    return "\n".join(lines) + "\n"


def _reaches(role: str, operation: str) -> list[str]:
    return [reach for reach in REACHES if operation in TABLE[role].get(reach, frozenset())]


def _line(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    sys.stdout.write(matrix())
