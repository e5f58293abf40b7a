"""Processor time and memory of whole process trees, as the kernel counts them."""

from collections.abc import Iterable, Mapping

import psutil


def seconds(roots: Iterable[int]) -> float:
    """User and system time of these processes and all below them, those that have ended included
    whose parent has noticed.
    """
    return sum(_used(process) for root in roots for process in _tree(root))


def memory(root: int) -> float:
    """Resident memory of one process, in MiB."""
    return float(psutil.Process(root).memory_info().rss) / 2**20


class Meter:
    """What groups of processes use from now on."""

    def __init__(self, groups: Mapping[str, Iterable[int]]) -> None:
        self._groups = {name: list(roots) for name, roots in groups.items()}
        self._before = {name: seconds(roots) for name, roots in self._groups.items()}

    def read(self) -> dict[str, float]:
        """Seconds by group."""
        return {name: seconds(roots) - self._before[name] for name, roots in self._groups.items()}


def _tree(root: int) -> list[psutil.Process]:
    process = psutil.Process(root)
    return [process, *process.children(recursive=True)]


def _used(process: psutil.Process) -> float:
    try:
        times = process.cpu_times()
    except psutil.NoSuchProcess:
        return 0.0
    return float(times.user + times.system + times.children_user + times.children_system)
