"""Whether the service on this machine is ready, for a container's health check.

`python -m chassis.probe 9100` ends with 0 when /readyz on that port says `ready` or `degraded`.
"""

import http.client
import sys

_LIMIT = 3.0


def ready(port: int) -> bool:
    """What /readyz on the port says; False when nobody answers within three seconds."""
    asked = http.client.HTTPConnection("127.0.0.1", port, timeout=_LIMIT)
    try:
        asked.request("GET", "/readyz")
        return asked.getresponse().status == http.client.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        asked.close()


if __name__ == "__main__":
    sys.exit(not ready(int(sys.argv[1])))
