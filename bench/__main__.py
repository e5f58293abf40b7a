"""`make bench`: what is measured, in which order, with how many rounds.

`python -m bench [--rounds N] [--only filing,…] [--json FILE] [--smoke]`
"""

import argparse
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from bench import fanout, growth, relaying, serving, wake
from bench.ground import SMOKE, Ground, Size, ground
from bench.report import Bar, say

MEASUREMENTS: Mapping[str, Callable[[Ground], None]] = {
    "wake": wake.measure,
    "sse": fanout.measure,
    "growth": growth.measure,
    "relay": relaying.measure,
}
NAMES = (*serving.KINDS, *MEASUREMENTS)
BARS: tuple[Bar, ...] = (*serving.BARS, *wake.BARS, *fanout.BARS)


def main() -> None:
    """Measure and tell."""
    told = _arguments()
    size = SMOKE if told.smoke else replace(Size(), rounds=told.rounds, tickets=told.tickets)
    with ground(size) as found:
        try:
            _measure(found, told.only)
        finally:  # What was measured before something failed took its time.
            found.report.tell([*BARS, *growth.bars(size.tickets)])
            if told.json:
                found.report.keep(told.json)


def _measure(found: Ground, names: Sequence[str]) -> None:
    if kinds := [kind for kind in serving.KINDS if kind in names]:
        say(f"· {', '.join(kinds)}")
        serving.measure(found, kinds)
    for name, measure in MEASUREMENTS.items():
        if name in names:
            say(f"· {name}")
            measure(found)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--rounds", type=int, default=Size.rounds)
    parser.add_argument("--only", type=_names, default=NAMES)
    parser.add_argument("--tickets", type=_sizes, default=Size.tickets)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--smoke", action="store_true", help="as little as shows that it works")
    return parser.parse_args()


def _names(text: str) -> list[str]:
    names = text.split(",")
    if unknown := set(names) - set(NAMES):
        raise argparse.ArgumentTypeError(f"{unknown}: there are {', '.join(NAMES)}")
    return names


def _sizes(text: str) -> tuple[int, int]:
    small, large = map(int, text.split(","))
    return small, large


if __name__ == "__main__":
    main()
