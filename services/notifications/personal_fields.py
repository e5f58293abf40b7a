"""What notifications keeps of people, by id: why, on which ground, for how long."""

from chassis.personal_data import Tag, attach
from services.notifications.models import Base
from services.notifications.webhooks import models as _webhooks  # noqa: F401 - their tables

_ASKED = "PIPL art. 13 (2): what the person asked for"
_UNTIL_ERASURE = "until the person is erased, or the inbox is cleared"
_OFFICE = "PIPL art. 13 (3): statutory duties of the neighbourhood organisations"
_UNTIL_FORGOTTEN = "until the person is erased"

TAGS = {
    "notification.person": Tag("telling somebody what became of it", _ASKED, _UNTIL_ERASURE),
    "delivery.person": Tag("knowing what was sent to whom", _ASKED, _UNTIL_ERASURE),
    "preference.person": Tag("telling people as they like it", _ASKED, _UNTIL_ERASURE),
    "forgotten.person": Tag(
        "telling nobody what comes late for somebody who was erased; an id that leads nowhere",
        _ASKED,
        "as long as an inbox item is kept",
    ),
}

TAGS |= {
    "webhook_endpoint.created_by": Tag(
        "telling who made a webhook that it was disabled", _OFFICE, _UNTIL_FORGOTTEN
    ),
    "clerk.person": Tag(
        "telling a department's clerks that its webhook was disabled", _OFFICE, _UNTIL_FORGOTTEN
    ),
}

attach(Base.metadata, TAGS)
METADATA = Base.metadata
