"""What is kept of the rounds, and how it is told: medians with their ranges, ratios of the same
round, and bars that a ratio or a figure is held against.
"""

import json
import statistics
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Bar:
    """A figure of a measurement, or its ratio to `against`, is to be at most this."""

    measurement: str
    system: str
    figure: str
    most: float
    against: str | None = None


@dataclass
class Report:
    """Figures by measurement, system and name, a value for each round."""

    values: dict[tuple[str, str, str], list[float]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def add(self, measurement: str, system: str, **figures: float) -> None:
        """Keep a round's figures."""
        for name, value in figures.items():
            self.values.setdefault((measurement, system, name), []).append(value)

    def note(self, text: str) -> None:
        """Keep something that is no figure, such as a plan."""
        self.notes.append(text)

    def tell(self, bars: Sequence[Bar]) -> None:
        """Print all of it."""
        for measurement in dict.fromkeys(key[0] for key in self.values):
            say("", measurement, *self._table(measurement))
        held = [line for bar in bars if (line := self._held(bar))]
        if held:
            say("", "bars (median, range of the rounds)", *held)
        if self.notes:
            say("", *self.notes)

    def keep(self, path: Path) -> None:
        """Write it as JSON."""
        figures = [
            {"measurement": measurement, "system": system, "figure": name, "rounds": values}
            for (measurement, system, name), values in self.values.items()
        ]
        path.parent.mkdir(parents=True, exist_ok=True)
        content: dict[str, Any] = {"figures": figures, "notes": self.notes}
        path.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n")

    def _table(self, measurement: str) -> list[str]:
        mine = {key[1:]: each for key, each in self.values.items() if key[0] == measurement}
        systems = list(dict.fromkeys(system for system, _ in mine))
        figures = list(dict.fromkeys(name for _, name in mine))
        lines = ["  " + f"{'':22}" + "".join(f"{system:>30}" for system in systems)]
        for name in figures:
            cells = (spread(mine.get((system, name), ())) for system in systems)
            lines.append(f"  {name:22}" + "".join(f"{cell:>30}" for cell in cells))
        return lines

    def _held(self, bar: Bar) -> str | None:
        own = self._of(bar, bar.system)
        if not own or (bar.against and not self._of(bar, bar.against)):
            return None
        found, against = own, ""
        if bar.against is not None:
            theirs = self._of(bar, bar.against)
            found = [a / b for a, b in zip(own, theirs, strict=False)]
            against = f" / {bar.against}"
        verdict = "met" if statistics.median(found) <= bar.most else "MISSED"
        name = f"{bar.measurement}: {bar.figure}, {bar.system}{against}"
        return f"  {name:66} {spread(found):>28}  <= {bar.most:g}  {verdict}"

    def _of(self, bar: Bar, system: str) -> list[float]:
        return self.values.get((bar.measurement, system, bar.figure), [])


def spread(values: Sequence[float]) -> str:
    """The median, and the range in brackets."""
    if not values:
        return "-"
    return f"{_short(statistics.median(values))} ({_short(min(values))}–{_short(max(values))})"


def percentile(values: Sequence[float], part: float) -> float:
    """The value below which `part` (0 to 1) of them lie."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(part * len(ordered)))]


def latencies(seconds: Sequence[float], parts: Sequence[float] = (0.5, 0.99)) -> dict[str, float]:
    """Percentiles in milliseconds, by name."""
    return {f"p{part * 100:g} ms": percentile(seconds, part) * 1000 for part in parts}


def say(*lines: str) -> None:
    """Print lines at once."""
    sys.stdout.write("".join(f"{line}\n" for line in lines))
    sys.stdout.flush()


def _short(value: float) -> str:
    digits = 0 if abs(value) >= 100 else 1 if abs(value) >= 10 else 2
    return f"{value:,.{digits}f}"
