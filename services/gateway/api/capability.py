"""What every capability of the API finds in the service that it is part of."""

from typing import Any


class Capability:
    """The dependencies that `service.py` declares, as a worker gets them."""

    db: Any
    gate: Any
    events: Any
    tickets: Any
    residents: Any
    notifications: Any
