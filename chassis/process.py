"""What a process asks of the kernel."""

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1
_ORPHANED = 71


def die_with_parent(parent: int) -> None:
    """Have the kernel kill this process when `parent` ends, so that nothing outlives a runner.

    prctl(2): the setting is lost when the process changes its user, so call it after that. A parent
    that has ended already, while we were being loaded, ends us here.
    """
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        sys.exit(_ORPHANED)
