"""What tickets keeps of people, by id: why, on which ground, for how long."""

from chassis.personal_data import Tag, attach
from services.tickets import fact_models  # noqa: F401 - tables of Base as well
from services.tickets.models import Base

_ASKED = "PIPL art. 13 (2): what the person asked for"
_WORK = "PIPL art. 13 (3): statutory duties; the staff's own work"
_UNTIL_ERASURE = "until the person is erased"
_RECORD = "with the ticket, which is the community's record"
_MASKED = f"{_RECORD}; phone and ID numbers are masked before they are stored"


def _work(purpose: str) -> Tag:
    return Tag(purpose, _WORK, _RECORD)


def _door(purpose: str) -> Tag:
    return Tag(purpose, _ASKED, "until who raised it, or whom it is for, is erased")


def _words(purpose: str) -> Tag:
    return Tag(purpose, _ASKED, _MASKED)


TAGS = {
    "tickets.reporter": Tag("answering whoever raised it", _ASKED, _UNTIL_ERASURE),
    "tickets.on_behalf_of": Tag("knowing whom it is for", _ASKED, _UNTIL_ERASURE),
    "tickets.filed_by": Tag("knowing who wrote it down", _ASKED, _UNTIL_ERASURE),
    "tickets.address": _door("finding the door"),
    "tickets.latitude": _door("finding the spot"),
    "tickets.longitude": _door("finding the spot"),
    "tickets.title": _words("knowing what is asked for, in people's own words"),
    "tickets.description": _words("knowing what is asked for, in people's own words"),
    "tickets.attributes": _words("knowing what is asked for, as its category asks"),
    "tickets.media_url": _door("seeing what is meant, where its reporter shows it"),
    "tickets.assignee": _work("knowing who has it"),
    "tickets.accepted_by": _work("knowing who accepted it"),
    "tickets.responsible": _work("knowing who answers for it"),
    "history.actor": _work("knowing who did what; not of who raised it, once erased"),
    "history.assignee": _work("knowing who had it"),
    "comments.author": _work("knowing who said what; not of who raised it, once erased"),
    "comments.text": _words("knowing what was said about it, in people's own words"),
    "duties.person": _work("knowing who may be given work"),
}

attach(Base.metadata, TAGS)
METADATA = Base.metadata
