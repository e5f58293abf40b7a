"""What the gateway keeps of people: why, on which ground, for how long."""

from datetime import timedelta

from chassis.personal_data import Tag, attach
from services.gateway import idempotency
from services.gateway.feed_models import FeedEvent
from services.gateway.models import Base

_ASKED = "PIPL art. 13 (2): what the person asked for"
_WORK = "PIPL art. 13 (3): statutory duties; the staff's own work"
_UNTIL_ERASURE = "until the person is erased"

TAGS = {
    "accounts.person": Tag("signing in", _WORK, _UNTIL_ERASURE),
    "accounts.login": Tag("signing in", _WORK, _UNTIL_ERASURE),
    "sessions.person": Tag("staying signed in", _ASKED, "until the session ends"),
    "sessions.user_agent": Tag("telling one's sessions apart", _ASKED, "until the session ends"),
    "sign_in_codes.phone_digest": Tag(
        "checking a code; a keyed digest", _ASKED, "after it was asked for", timedelta(days=1)
    ),
    "sign_in_codes.used_by": Tag(
        "a code is used once", _ASKED, "after it was asked for", timedelta(days=1)
    ),
    "api_keys.owner": Tag("knowing in whose name a program acts", _WORK, _UNTIL_ERASURE),
    "api_keys.created_by": Tag("knowing who gave it out", _WORK, "with the key"),
    "idempotency_keys.body": Tag(
        "giving a repeated request its first answer; opens with the request's own key only",
        _ASKED,
        "after the request",
        idempotency.KEPT,
        sealed=True,
    ),
    "duties.person": Tag("knowing who may do what", _WORK, "with the duty"),
    "feed.owners": Tag("showing people the events that are theirs", _ASKED, "with the event"),
    "feed.holders": Tag("showing staff the events that are theirs", _WORK, "with the event"),
}

attach(FeedEvent.metadata, TAGS)
METADATA = Base.metadata
