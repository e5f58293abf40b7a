"""What tickets refuses, each with a stable code; what is only wrong in a command's fields is an
`Invalid` with pointers.
"""

from chassis.errors import Conflict, Invalid, NotFound


class UnknownTicket(NotFound):
    """There is no such ticket, or it is not yours to see."""

    code = "unknown_ticket"


class UnknownJurisdiction(NotFound):
    """There is no such district, sub-district or community here."""

    code = "unknown_jurisdiction"


class IllegalMove(Conflict):
    """The ticket's state does not allow this move."""

    code = "illegal_move"


class AlreadyExcluded(Conflict):
    """The ticket is excluded from this rate already."""

    code = "already_excluded"


class NotExcluded(NotFound):
    """The ticket is not excluded from this rate."""

    code = "not_excluded"


def fault(pointer: str, code: str, message: str) -> Invalid:
    """One field at fault: `pointer` after RFC 6901, `code` stable, `message` for people."""
    return Invalid(errors=[{"pointer": pointer, "code": code, "message": message}])
