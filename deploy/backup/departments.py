"""What the broker alone knows: which departments have access, with what queues, and how much waited
in them.
"""

import json
import os
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from chassis import topology
from deploy import permissions
from deploy.accounts import put_user
from deploy.broker import Broker

NAME = "departments.json"
_PASSWORD = ("password_hash", "hashing_algorithm")


@dataclass(frozen=True)
class Department:
    """A department's access. Its password is kept as the broker has it, as a salted hash; `waiting`
    is how many events its queue held. Further queues with the keys that they are bound by.
    """

    code: str
    password: dict[str, str] = field(repr=False)
    waiting: int
    further: dict[str, list[str]]


def look(broker: Broker) -> list[Department]:
    """Every department that has access now; raises ManagementError."""
    snapshot = broker.snapshot()
    return [
        Department(
            code,
            {key: snapshot.users[permissions.department_user(code)][key] for key in _PASSWORD},
            _waiting(broker, topology.subscriber_queue(code)),
            {
                name: sorted(
                    key
                    for source, key, queue in snapshot.bindings
                    if queue == name and source == topology.EVENTS_EXCHANGE
                )
                for name in sorted(snapshot.queues)
                if name.startswith(f"{code}.") and name not in _granted(code)
            },
        )
        for code in permissions.granted_departments(snapshot)
    ]


def grant(broker: Broker, department: Department) -> None:
    """Give it on another broker what it had, its password included; raises ManagementError."""
    account = permissions.department_account(department.code)
    put_user(broker, account, department.password)
    permissions.grant(broker, department.code)
    with broker.connect() as connection:
        channel = connection.channel()
        for queue, keys in department.further.items():
            permissions.add_queue(broker, department.code, queue.partition(".")[2])
            for key in keys:
                channel.queue_bind(queue, topology.EVENTS_EXCHANGE, key)


def write(path: Path, departments: list[Department]) -> None:
    """Keep them in a file for its owner alone."""
    with os.fdopen(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w") as file:
        json.dump(list(map(asdict, departments)), file, indent=1)


def read(path: Path) -> list[Department]:
    """Those that `write` was given."""
    told: list[dict[str, Any]] = json.loads(path.read_text(encoding="utf-8"))
    return [Department(**each) for each in told]


def _granted(code: str) -> set[str]:
    return {topology.subscriber_queue(code), topology.subscriber_log(code)}


def _waiting(broker: Broker, queue: str) -> int:
    """Ready or with a reader who has not acknowledged; the broker counts some seconds late, so
    what is ready now counts if that is more.
    """
    counted = (broker.management.get("queues", broker.vhost, queue) or {}).get("messages", 0)
    with broker.connect() as connection:
        ready = connection.channel().queue_declare(queue, passive=True).message_count
    return max(int(counted), int(ready))
