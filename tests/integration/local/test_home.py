"""A home: kept between starts, readable by its owner alone, one launcher at a time."""

import socket
import stat
import subprocess
import sys

from deploy.local import home as homes
from deploy.local.home import Home


def test_settings_can_be_read_by_their_owner_alone(tmp_path):
    Home(tmp_path).secret("anything")

    assert stat.S_IMODE((tmp_path / homes.SETTINGS).stat().st_mode) == 0o600


def test_a_port_that_somebody_else_took_is_replaced(tmp_path, monkeypatch):
    monkeypatch.setattr(homes, "PORT_PATIENCE", 0.1)
    port = Home(tmp_path).port("amqp")

    with socket.socket() as other:
        other.bind(("127.0.0.1", port))
        other.listen()
        replaced = Home(tmp_path).port("amqp")

    assert replaced != port


def test_a_second_launcher_is_turned_away(tmp_path):
    first = Home(tmp_path)
    first.enter()
    second = "import sys; from deploy.local.home import *; Home(Path(sys.argv[1])).enter()"

    done = subprocess.run(
        [sys.executable, "-c", second, str(tmp_path)], capture_output=True, text=True, check=False
    )

    first.leave()
    assert done.returncode
    assert "InUse" in done.stderr


def test_the_launcher_of_a_home_is_known_while_it_lives(tmp_path):
    lives = (
        "import sys; from deploy.local.home import *; home = Home(Path(sys.argv[1]));"
        "home.enter(); print('in', flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", lives, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as other:
        other.stdout.readline()
        known = Home(tmp_path).launcher()
        other.kill()

    assert known == other.pid
    assert Home(tmp_path).launcher() is None


def test_erasing_leaves_what_is_not_ours(tmp_path):
    home = Home(tmp_path)
    home.secret("anything")
    (tmp_path / "letters.txt").write_text("mine")

    home.erase()

    assert [path.name for path in tmp_path.iterdir()] == ["letters.txt"]


def test_a_home_that_never_was_can_be_erased(tmp_path):
    Home(tmp_path / "nowhere").erase()

    assert not (tmp_path / "nowhere").exists()
