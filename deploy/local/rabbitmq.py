"""A private RabbitMQ: its own node, cookie, epmd, ports, data and limits, on loopback only."""

import base64
import os
import secrets
import shutil
import socket
import subprocess
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path

from deploy.local import debian, places
from deploy.local.child import Child, wait_until
from deploy.local.ports import free_port, is_open

INSTALLED = Path("/usr/lib/rabbitmq/bin/rabbitmq-server")
PACKAGE, ITS_OWN = "rabbitmq-server", "erlang-.*|libsctp1|socat"
VHOST = "linli"
ADMINISTRATOR = "linli-admin"
PORTS = ("amqp", "management", "prometheus", "distribution", "epmd")
MEGABYTE = 1024 * 1024
AMQP_GREETING = b"AMQP\x00\x00\x09\x01"

CONFIGURATION = """\
# Written at every start.
listeners.tcp.local = 127.0.0.1:{amqp}
management.tcp.ip = 127.0.0.1
management.tcp.port = {management}
prometheus.tcp.ip = 127.0.0.1
prometheus.tcp.port = {prometheus}
num_acceptors.tcp = 2
default_vhost = {vhost}
default_user = {user}
default_pass = {password}
default_user_tags.administrator = true
loopback_users = none
log.console = false
log.file = {folder}/log/rabbitmq.log
log.file.level = warning
vm_memory_high_watermark.absolute = {memory}
disk_free_limit.absolute = {disk_free}
collect_statistics_interval = {statistics}
"""


def programs() -> debian.Unpacked:
    """RabbitMQ as installed, or else fetched from Debian; raises debian.CannotFetch."""
    if INSTALLED.exists():
        return debian.Unpacked(Path("/"))
    return debian.unpacked(PACKAGE, ITS_OWN)


def is_here() -> bool:
    """Whether `programs` will answer at once."""
    return INSTALLED.exists() or debian.tree(PACKAGE).exists()


class PrivateRabbitMQ:
    """One broker in `folder`, with the administrator's `password` given at its first start.

    `ports`: one for each of PORTS, free ones when not given. `memory` and `disk_free` are bytes:
    above the one and below the other the broker stops its publishers. `statistics`: how often it
    counts, in milliseconds.
    """

    def __init__(
        self,
        folder: Path,
        *,
        ports: Mapping[str, int] | None = None,
        password: str = "",
        memory: int = 1024 * MEGABYTE,
        disk_free: int = 64 * MEGABYTE,
        statistics: int = 2000,
    ) -> None:
        self.folder = folder
        self.ports = dict(ports or {name: free_port() for name in PORTS})
        self.password = password or secrets.token_urlsafe(18)
        self.limits = {"memory": memory, "disk_free": disk_free}
        self._statistics = statistics
        self._user = places.server_user()
        self._epmd: Child | None = None
        self._server: Child | None = None

    @property
    def amqp_uri(self) -> str:
        """The administrator's, on the vhost of the product."""
        return f"amqp://{ADMINISTRATOR}:{self.password}@127.0.0.1:{self.ports['amqp']}/{VHOST}"

    @property
    def management_url(self) -> str:
        """The management API, with the administrator's name and password."""
        return f"http://{ADMINISTRATOR}:{self.password}@127.0.0.1:{self.ports['management']}"

    def start(self, within: float = 60) -> None:
        """Start it and wait until it answers; raises child.Died, TimeoutError, CannotFetch."""
        self.begin()
        self.wait(within)

    def begin(self) -> None:
        """Start it without waiting, for those who have other things to do meanwhile."""
        self.kill()  # an epmd that is left over would be in the way of the new one
        self._lay_out()
        environment = self._environment(programs())
        self._epmd = self._child("epmd", ["epmd", "-address", "127.0.0.1"], environment, grace=0.1)
        self._epmd.start()
        wait_until(lambda: is_open(self.ports["epmd"]), self._epmd, within=10)
        self._server = self._child("rabbitmq", ["rabbitmq-server"], environment, grace=10.0)
        self._server.start()

    def wait(self, within: float = 60) -> None:
        """Wait until it answers; raises child.Died, TimeoutError."""
        if self._server is None:
            raise RuntimeError("not started")
        wait_until(self.answers, self._server, within)

    def forget_unfinished(self) -> None:
        """Before a start: throw the data away unless `keep_declared` has been called on it.

        RabbitMQ 3.10 that is killed within a second of its first quorum queues and streams never
        brings them up again, nor lets them be deleted; nothing has been published by then.
        """
        if not self._declared.exists():
            shutil.rmtree(self.folder, ignore_errors=True)

    def keep_declared(self) -> None:
        """What has been declared is on disk: from now on the data is kept."""
        self._declared.touch()

    @property
    def _declared(self) -> Path:
        return self.folder / "declared"

    def stop(self) -> None:
        """End it in order; epmd, which the broker leaves at its end, goes last."""
        for child in (self._server, self._epmd):
            if child:
                child.stop()

    def kill(self) -> None:
        """`kill -9`; `start` brings it back on the same ports and data."""
        for child in (self._server, self._epmd):
            if child:
                child.kill()

    def freeze(self) -> None:
        """SIGSTOP: its sockets stay open and nothing is answered."""
        if self._server:
            self._server.freeze()

    def thaw(self) -> None:
        """SIGCONT after `freeze`."""
        if self._server:
            self._server.thaw()

    def control(self, *arguments: str) -> str:
        """What `rabbitmqctl` answers to these arguments; raises subprocess.CalledProcessError."""
        done = subprocess.run(
            ["rabbitmqctl", "--quiet", *arguments],
            env=self._environment(programs()),
            cwd=self.folder,
            user=self._user.uid if self._user else None,
            group=self._user.gid if self._user else None,
            extra_groups=[] if self._user else None,
            check=True,
            capture_output=True,
            text=True,
            timeout=60,
        )
        return done.stdout

    @property
    def running(self) -> bool:
        """Whether the broker's process is there."""
        return bool(self._server and self._server.running)

    @property
    def pid(self) -> int:
        """The process id of the broker; raises RuntimeError when it is not there."""
        pid = self._server.pid if self._server else None
        if pid is None:
            raise RuntimeError("not started")
        return pid

    def answers(self) -> bool:
        """Whether it speaks AMQP and its management API lets the administrator in."""
        return self._speaks_amqp() and self._manages()

    def _speaks_amqp(self) -> bool:
        try:
            with socket.create_connection(("127.0.0.1", self.ports["amqp"]), 2) as connection:
                connection.sendall(AMQP_GREETING)
                return connection.recv(1) == b"\x01"  # a method frame: Connection.Start
        except OSError:
            return False

    def _manages(self) -> bool:
        credentials = base64.b64encode(f"{ADMINISTRATOR}:{self.password}".encode()).decode()
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.ports['management']}/api/vhosts/{VHOST}",
            headers={"Authorization": f"Basic {credentials}"},
        )
        try:
            with urllib.request.urlopen(request, timeout=5) as answer:  # noqa: S310  (loopback)
                return bool(answer.status == 200)
        except (urllib.error.URLError, OSError):
            return False

    def _lay_out(self) -> None:
        for name in ("", "data", "log", "home"):
            places.private(self.folder / name, self._user)
        self._write("home/.erlang.cookie", secrets.token_hex(16), 0o400, keep=True)
        self._write("enabled_plugins", "[rabbitmq_management, rabbitmq_prometheus].\n", 0o600)
        values = {"folder": self.folder, "vhost": VHOST, "user": ADMINISTRATOR}
        values |= {"statistics": self._statistics}
        self._write(
            "rabbitmq.conf",
            CONFIGURATION.format(**values, password=self.password, **self.ports, **self.limits),
            0o600,
        )

    def _write(self, name: str, text: str, mode: int, *, keep: bool = False) -> None:
        path = self.folder / name
        if keep and path.exists():
            return
        path.unlink(missing_ok=True)
        with os.fdopen(os.open(path, os.O_CREAT | os.O_WRONLY, mode), "w") as file:
            file.write(text)
        places.give(path, self._user)

    def _child(self, name: str, command: list[str], env: dict[str, str], grace: float = 5) -> Child:
        log = self.folder / "log" / f"{name}.out"
        return Child(name, command, log, env, cwd=self.folder, user=self._user, grace=grace)

    def _environment(self, tree: debian.Unpacked) -> dict[str, str]:
        base = tree.environment()
        return {
            **base,
            "PATH": f"{tree.root}/usr/lib/rabbitmq/bin:{base['PATH']}",
            "HOME": str(self.folder / "home"),
            "RABBITMQ_NODENAME": "linli@localhost",
            "RABBITMQ_NODE_PORT": str(self.ports["amqp"]),
            "RABBITMQ_NODE_IP_ADDRESS": "127.0.0.1",
            "RABBITMQ_DIST_PORT": str(self.ports["distribution"]),
            "RABBITMQ_MNESIA_BASE": str(self.folder / "data"),
            "RABBITMQ_LOG_BASE": str(self.folder / "log"),
            "RABBITMQ_CONFIG_FILE": str(self.folder / "rabbitmq"),
            "RABBITMQ_ADVANCED_CONFIG_FILE": str(self.folder / "none"),
            "RABBITMQ_CONF_ENV_FILE": "/dev/null",
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(self.folder / "enabled_plugins"),
            "RABBITMQ_GENERATED_CONFIG_DIR": str(self.folder / "generated"),
            "RABBITMQ_FEATURE_FLAGS_FILE": str(self.folder / "feature_flags"),
            "RABBITMQ_PID_FILE": str(self.folder / "pid"),
            "ERL_EPMD_ADDRESS": "127.0.0.1",
            "ERL_EPMD_PORT": str(self.ports["epmd"]),
            "ERL_CRASH_DUMP_SECONDS": "0",
            # Else a spare shell stays between us and the broker, and does not die with us.
            "detached": "true",
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "-kernel inet_dist_use_interface {127,0,0,1}",
        }
