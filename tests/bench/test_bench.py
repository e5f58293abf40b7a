"""`make bench` still works: one tiny round of each measurement, with both peers. What it measures
is of no interest here.
"""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from bench.__main__ import NAMES
from bench.report import Bar, Report
from deploy.local import places


@pytest.mark.timeout(300)
def test_every_measurement_can_be_made(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-m", "bench", "--smoke", "--json", tmp_path / "figures"],
        cwd=places.ROOT,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    figures = json.loads((tmp_path / "figures").read_text())["figures"]
    measured = {(each["measurement"], each["system"]) for each in figures}
    assert {("filing", system) for system in ("linli", "modern", "stock")} <= measured
    assert len({measurement for measurement, _ in measured}) >= len(NAMES)
    assert [each for each in figures if min(each["rounds"]) < 0] == []


def test_a_bar_is_held_against_the_median_of_the_ratios_of_each_round(
    capsys: pytest.CaptureFixture[str],
) -> None:
    report = Report()
    for ours, theirs in ((1, 1), (9, 10), (30, 10)):
        report.add("filing", "linli", cpu=ours)
        report.add("filing", "modern", cpu=theirs)

    report.tell([Bar("filing", "linli", "cpu", 1.0, "modern")])

    said = capsys.readouterr().out
    assert "1.00 (0.90–3.00)" in said
    assert "met" in said


def test_a_bar_that_is_missed_is_said_to_be(capsys: pytest.CaptureFixture[str]) -> None:
    report = Report()
    report.add("wake", "1 replica", **{"p50 ms": 6.0})

    report.tell([Bar("wake", "1 replica", "p50 ms", 5)])

    assert "MISSED" in capsys.readouterr().out
