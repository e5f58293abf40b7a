"""What residents keeps of people: why, on which ground, for how long (PIPL, articles 6, 13, 19)."""

from datetime import timedelta

from chassis.personal_data import Tag, attach
from services.residents import personal_models as _personal  # noqa: F401 - declares its tables
from services.residents.care import models as _care  # noqa: F401 - declares its table
from services.residents.imports.models import Import
from services.residents.models import Base
from services.residents.phone_changes import KEPT as _CHANGE
from services.residents.withdrawn_phones import KEPT

_DUTY = "PIPL art. 13 (3): statutory duties of the residents' committee"
_CONSENT = "PIPL art. 13 (1): consent"
_CARE = "PIPL art. 13 (3) and 28: statutory care, strictly needed"
_RECORD = "PIPL art. 54 to 56: duty to account for processing"
_ASKED = "PIPL art. 13 (2): what the person asked for"
_UNTIL_ERASURE = "until the person is erased"
_ENTRY = timedelta(days=3 * 365)


def _sealed(purpose: str, basis: str = _DUTY, since: str = _UNTIL_ERASURE) -> Tag:
    return Tag(purpose, basis, since, sealed=True)


def _index(of: str) -> Tag:
    return Tag(f"finding somebody by their {of}; a keyed digest", _DUTY, _UNTIL_ERASURE)


TAGS = {
    "residents.name": _sealed("knowing whom one speaks to"),
    "residents.phone": _sealed("signing in, being called back and told"),
    "residents.id_number": _sealed("telling people of the same name apart"),
    "residents.email": _sealed("being told by mail", _CONSENT, "until taken back, or erased"),
    "residents.address": _sealed("finding the door"),
    "residents.name_index": _index("name"),
    "residents.phone_index": _index("phone"),
    "withdrawn_phones.phone_index": Tag(
        "letting nobody in by a number that was taken from somebody; a keyed digest",
        _DUTY,
        "after it was taken, unless somebody is given the number before; also of the erased",
        KEPT,
    ),
    "phone_changes.resident": Tag("knowing whose number was changed", _RECORD, "with the change"),
    "phone_changes.phone": _sealed(
        "telling a number that somebody else changed it", _RECORD, "with the change; erased at once"
    ),
    "phone_changes.phone_index": Tag(
        "letting nobody in by a new number before the old one was heard; a keyed digest",
        _RECORD,
        "with the change; erased at once",
    ),
    "phone_changes.changed_at": Tag(
        "knowing how long the new number waits", _RECORD, "after the number was changed", _CHANGE
    ),
    "residents.id_number_index": _index("ID number"),
    "residents.area": Tag("counting, and saying who serves whom", _DUTY, "for the figures"),
    "residents.used_at": Tag(
        "knowing when somebody who is known by phone only is forgotten",
        _ASKED,
        "after they last signed in or were named, unless they are registered",
        timedelta(days=2 * 365),
    ),
    "resident_keys.resident": Tag("knowing whose key it is", _DUTY, _UNTIL_ERASURE),
    "resident_keys.wrapped": _sealed("opening what is sealed of one person"),
    "households.door": _sealed("finding the dwelling", since="with the household"),
    "households.door_index": Tag(
        "telling doors apart; a keyed digest", _DUTY, "with the household"
    ),
    "households.wrapped": _sealed("opening the door's field", since="with the household"),
    "household_members.resident": Tag(
        "knowing who lives where, and counting", _DUTY, "for the figures; ended by erasure"
    ),
    "care_tags.resident": Tag("knowing whom to look after", _CARE, _UNTIL_ERASURE),
    "care_tags.tag": Tag("knowing why", _CARE, _UNTIL_ERASURE),
    "care_tags.note": _sealed("knowing how", _CARE),
    "care_tags.given_by": Tag("saying who gave the tag", _RECORD, "with the tag"),
    "care_tags.ended_by": Tag("saying who ended it", _RECORD, "with the tag"),
    "duties.person": Tag("knowing who is responsible", _DUTY, "with the duty"),
    "consents.person": Tag("proving what was agreed to", _CONSENT, "with the consent"),
    "consents.withdrawn_at": Tag(
        "proving that a withdrawal was respected", _RECORD, "after the withdrawal", _ENTRY
    ),
    "audit.actor": Tag("saying who used personal data", _RECORD, "with the entry"),
    "audit.subject": Tag("saying whose data was used", _RECORD, "with the entry"),
    "audit.at": Tag("accounting for each use", _RECORD, "after the entry was made", _ENTRY),
    "audit_people.person": Tag("showing people who used their data", _RECORD, "with the entry"),
    "imports.owner": Tag("knowing who sent a file", _RECORD, "with the import"),
    "imports.wrapped": _sealed("opening the file", since="until it is worked through, a day"),
    "import_parts.sealed": _sealed("the file", since="until it is worked through, a day"),
}

attach(Import.metadata, TAGS)
METADATA = Base.metadata
