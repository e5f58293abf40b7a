"""Places at which a drill may end a process: `LINLI_FAULT=relay.published` kills it the first time
it gets there.

`LINLI_FAULT=relay.published@3` waits for the third time. Unarmed, which is always outside drills, a
point costs one comparison.
"""

import os
import signal

_armed, _, _count = os.environ.get("LINLI_FAULT", "").partition("@")
_left = int(_count or 1)


def reach(point: str) -> None:
    """End this process as `kill -9` would, if this point is the armed one."""
    global _left  # noqa: PLW0603 - one countdown per process is what is wanted
    if point != _armed:
        return
    _left -= 1
    if _left <= 0:
        os.kill(os.getpid(), signal.SIGKILL)
