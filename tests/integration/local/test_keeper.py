"""Programs under a keeper: they end when asked, when they must, and when their starter dies."""

import os
import resource
import signal
import subprocess
import sys
import time

import psutil
import pytest

from deploy.local.child import Child, Died, wait_until
from deploy.local.supervisor import Supervisor

# Leaves a grandchild in a session of its own, as a daemon would, and writes down its id.
DAEMON = """
import os, subprocess, sys, time
child = subprocess.Popen(["sleep", "300"], start_new_session=True)
print(child.pid, flush=True)
time.sleep(300)
"""
DEAF = "trap '' TERM; echo deaf; while :; do sleep 0.1; done"


@pytest.fixture
def program(tmp_path):
    made = []

    def make(*command, **options):
        child = Child("trial", command, tmp_path / "log", {"PATH": os.environ["PATH"]}, **options)
        made.append(child)
        child.start()
        return child

    yield make
    for child in made:
        child.kill()


def test_a_program_ends_when_it_is_asked_to(program):
    child = program("sleep", "300")
    pid = running(child)

    child.stop()

    assert child.status == 128 + signal.SIGTERM
    assert not psutil.pid_exists(pid)


def test_a_program_that_does_not_listen_is_killed_after_its_grace(program):
    child = program("sh", "-c", DEAF, grace=0.3)
    wait_until(lambda: "deaf" in child.tail(), child, within=10)

    child.stop()

    assert child.status == 128 + signal.SIGKILL


def test_a_frozen_program_can_still_be_stopped(program):
    child = program("sleep", "300")
    pid = running(child)
    child.freeze()
    eventually(lambda: psutil.Process(pid).status() == psutil.STATUS_STOPPED)

    child.stop()

    assert not psutil.pid_exists(pid)


def test_grandchildren_end_with_the_program(program):
    child = program(sys.executable, "-c", DAEMON)
    daemon = int(eventually(child.tail))

    psutil.Process(child.pid).kill()

    eventually(lambda: not child.running)
    assert not psutil.pid_exists(daemon)


def test_an_orphan_that_ends_is_no_zombie(program):
    child = program("sh", "-c", "(sleep 3 &); sleep 300")
    keeper = psutil.Process(running(child)).parent()

    eventually(lambda: len(keeper.children(recursive=True)) == 3)  # the shell and two sleeps
    eventually(lambda: len(keeper.children(recursive=True)) == 2)


def test_a_program_may_open_more_files_than_an_ordinary_users_1024(program):
    child = program("sh", "-c", "ulimit -n; sleep 300")
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)

    assert int(eventually(child.tail)) == min(65536, hard)


def test_nothing_is_left_when_the_starter_is_killed(tmp_path):
    starter = f"""
import os, sys, time
from pathlib import Path
from deploy.local.child import Child
Child("trial", [sys.executable, "-c", {DAEMON!r}], Path({str(tmp_path / "log")!r}),
      dict(os.environ)).start()
time.sleep(300)
"""
    process = subprocess.Popen([sys.executable, "-c", starter])
    eventually(lambda: (tmp_path / "log").exists() and (tmp_path / "log").read_text())
    below = psutil.Process(process.pid).children(recursive=True)
    assert len(below) == 3  # keeper, program, daemon

    process.kill()
    process.wait()

    assert psutil.wait_procs(below, timeout=5)[1] == []


def test_a_program_that_ends_at_once_is_told_with_its_last_words(program):
    child = program("sh", "-c", "echo no such luck; exit 3")

    with pytest.raises(Died, match=r"status 3:\n.*no such luck"):
        wait_until(lambda: False, child, within=10)


def test_a_service_that_dies_is_started_again_after_pauses_that_grow(tmp_path):
    said = []
    supervisor = Supervisor(said.append)
    log = tmp_path / "log"
    supervisor.start(Child("trial", ["sh", "-c", "echo up; exit 1"], log))

    def third_start():
        supervisor.look()
        return log.exists() and log.read_text().count("up") >= 3

    eventually(third_start)
    supervisor.stop()

    assert "starts again in 0.2 s" in said[0]
    assert "starts again in 0.4 s" in said[1]


def running(child):
    return eventually(lambda: child.pid)


def eventually(ask, within=10):
    deadline = time.monotonic() + within
    while not (answer := ask()):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    return answer
