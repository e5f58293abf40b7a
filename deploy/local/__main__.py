"""`python -m deploy.local up|down|reset|linli`."""

import argparse
import signal
import sys
import time
from collections.abc import Sequence

from deploy.local import processes
from deploy.local.home import Home, InUse

STOPS_WITHIN = 60.0


def main(arguments: Sequence[str]) -> int:
    """Run one command; returns its exit status."""
    if arguments[:1] == ["linli"]:
        return _linli(arguments[1:])
    parser = argparse.ArgumentParser(prog="python -m deploy.local")
    parser.add_argument("command", choices=["up", "down", "reset"])
    parser.add_argument("--with-parent", action="store_true", help="end when the parent ends")
    asked = parser.parse_args(arguments)
    if asked.with_parent:
        processes.die_with_parent(signal.SIGTERM)
    home = Home.of_environment()
    try:
        return {"up": _up, "down": _down, "reset": _reset}[asked.command](home)
    except (InUse, RuntimeError, TimeoutError) as error:
        print(f"\nLinli cannot start: {error}", file=sys.stderr)
        return 1


def _up(home: Home) -> int:
    from deploy.local.launcher import Launcher

    Launcher(home).run()
    return 0


def _down(home: Home) -> int:
    pid = home.launcher()
    if pid is None:
        print(f"Nothing runs in {home.folder}.")
        return 0
    processes.send(pid, signal.SIGTERM)
    deadline = time.monotonic() + STOPS_WITHIN
    while home.launcher() is not None:
        if time.monotonic() > deadline:
            raise TimeoutError(f"the launcher {pid} does not stop")
        time.sleep(0.1)
    print(f"Stopped what ran in {home.folder}.")
    return 0


def _reset(home: Home) -> int:
    _down(home)
    home.erase()
    print(f"Removed the data of {home.folder}.")
    return 0


def _linli(arguments: Sequence[str]) -> int:
    """The operator's command against this home's broker, unless the environment names another."""
    from deploy import cli
    from deploy.local.environment import Environment

    home = Home.of_environment()
    if home.exists:
        return cli.main(arguments, Environment(home).of_operator())
    return cli.main(arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
