"""Places at which a drill may end a process: `LINLI_FAULT=relay.published` kills it the first time
it gets there.

`LINLI_FAULT=relay.published@3` waits for the third time; `relay.sending@3/freeze` stops the process
in its tracks instead. Unarmed, which is always outside drills, a point costs one comparison.
"""

import os
import signal

_place, _, _how = os.environ.get("LINLI_FAULT", "").partition("/")
_armed, _, _count = _place.partition("@")
_left = int(_count or 1)
_signal = signal.SIGSTOP if _how == "freeze" else signal.SIGKILL


def reach(point: str) -> None:
    """End this process as `kill -9` would, or freeze it, if this point is the armed one."""
    global _left  # noqa: PLW0603 - one countdown per process is what is wanted
    if point != _armed:
        return
    _left -= 1
    if _left == 0 or (_left < 0 and _signal == signal.SIGKILL):
        os.kill(os.getpid(), _signal)
