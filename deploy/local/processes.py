"""Process trees as the kernel sees them, and signals to all of one."""

import ctypes
import os
import signal
from collections import defaultdict
from pathlib import Path

PR_SET_PDEATHSIG = 1
PR_SET_CHILD_SUBREAPER = 36

_libc = ctypes.CDLL(None, use_errno=True)  # loaded here: not safe any more between fork and exec


def die_with_parent(signal_number: int = signal.SIGKILL) -> None:
    """Have the kernel send this process `signal_number` when its parent ends, however it ends.

    The kernel forgets it when the process changes its user, so call it after that.
    """
    _libc.prctl(PR_SET_PDEATHSIG, signal_number, 0, 0, 0)


def adopt_orphans() -> None:
    """Become the parent of descendants whose own parent ends, so that none slips away."""
    _libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def descendants(pid: int) -> list[int]:
    """Every process below `pid`, parents before children; zombies are left out."""
    children = _children_of_each()
    found: list[int] = []
    queue = [pid]
    while queue:
        below = children[queue.pop(0)]
        found += below
        queue += below
    return found


def signal_descendants(pid: int, signal_number: int) -> None:
    """Signal all processes below `pid`, those included that are born meanwhile."""
    done: set[int] = set()
    while new := [each for each in descendants(pid) if each not in done]:
        for each in new:
            done.add(each)
            send(each, signal_number)


def send(pid: int, signal_number: int) -> bool:
    """Signal a process; False when it is gone already."""
    try:
        os.kill(pid, signal_number)
    except ProcessLookupError:
        return False
    return True


def _children_of_each() -> dict[int, list[int]]:
    children: dict[int, list[int]] = defaultdict(list)
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and (parent := _parent(entry)) is not None:
            children[parent].append(int(entry.name))
    return children


def _parent(process: Path) -> int | None:
    try:
        stat = (process / "stat").read_text(errors="replace")
    except OSError:  # it ended while we looked
        return None
    # The name, in parentheses, may itself hold spaces and parentheses.
    state, parent = stat.rpartition(")")[2].split()[:2]
    return None if state == "Z" else int(parent)
