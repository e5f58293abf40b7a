"""What dead processes counted is removed, and nothing of those that live."""

import os
import tempfile
from pathlib import Path

import pytest

from chassis import metrics_folder


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where folders are made meanwhile."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setenv(metrics_folder.FOLDER, "")
    return tmp_path


def test_beginning_removes_what_the_dead_left_also_under_our_own_id(temporary: Path) -> None:
    ours, living = (temporary / f"linli-metrics-{pid}-x" for pid in (os.getpid(), os.getppid()))
    dead, others = temporary / "linli-metrics-99999999-x", temporary / "linli-metrics-of-mine"
    for folder in (ours, living, dead, others):
        folder.mkdir()

    metrics_folder.begin()

    kept = Path(os.environ[metrics_folder.FOLDER])
    assert set(temporary.iterdir()) == {living, others, kept}
    metrics_folder.end()
    assert not kept.exists()
