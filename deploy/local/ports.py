"""Free ports on loopback, below those that the kernel hands to outgoing connections."""

import secrets
import socket

FIRST, LAST = 15000, 32000
_given: set[int] = set()


def free_port() -> int:
    """A port that nobody listens on and that was not given out before by this process."""
    while True:
        port = FIRST + secrets.randbelow(LAST - FIRST)
        if port not in _given and is_free(port):
            _given.add(port)
            return port


def is_free(port: int) -> bool:
    """Whether one can listen on the port."""
    with socket.socket() as probe:
        # As servers do: connections that linger from the last run are no obstacle.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def is_open(port: int) -> bool:
    """Whether someone listens on the port."""
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0
