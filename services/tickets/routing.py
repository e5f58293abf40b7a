"""Who an event is addressed to: the department that has the ticket, then the one that has just lost
it.
"""


def concerned(now: str | None, before: str | None) -> tuple[str, ...]:
    """The departments an event concerns, the addressee first.

    `now` and `before` are the department after and before the move. Who gains a ticket comes before
    who loses it; of a send-back, which nobody gains, the department that had it is the addressee.
    """
    return tuple(dict.fromkeys(code for code in (now, before) if code is not None))
