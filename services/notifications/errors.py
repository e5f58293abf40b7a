"""What notifications refuses, by name."""

from chassis.errors import Forbidden, Invalid, NotFound, Unavailable


class NoInbox(Forbidden):
    """Only a person who has signed in has an inbox."""

    code = "no_inbox"


class UnknownNotification(NotFound):
    """There is no such notification in your inbox."""

    code = "unknown_notification"


class NotForYou(Forbidden):
    """Deliveries are for administrators."""

    code = "deliveries_forbidden"


class BadCursor(Invalid):
    """The cursor is not one that this list gave."""

    code = "bad_cursor"


class UnknownTemplate(NotFound):
    """There is no template of this purpose, channel and language."""

    code = "unknown_template"


class CodeNotSent(Unavailable):
    """The code could not be sent; try again shortly."""

    code = "code_not_sent"


class CodeRefused(Invalid):
    """No message can be sent to this number."""

    code = "code_refused"
