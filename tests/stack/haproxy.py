"""HAProxy, fetched from Debian, before several gateways on loopback: it asks each for `/readyz`
twice a second, and sends requests to those that say yes.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from deploy.local import debian
from deploy.local.child import Child, wait_until
from deploy.local.ports import free_port, is_open

CONFIGURATION = """\
global
  log stderr local0
defaults
  mode http
  timeout connect 2s
  timeout client 60s
  timeout server 60s
  option redispatch
frontend linli
  bind 127.0.0.1:{port}
  default_backend gateways
backend gateways
  option httpchk GET /readyz
  default-server check inter 500ms fall 1 rise 1
{servers}
"""


@contextmanager
def balancing(folder: Path, gateways: Mapping[str, int]) -> Iterator[int]:
    """A balancer before the gateways, names and ports; its port. Raises debian.CannotFetch."""
    port, file = free_port(), folder / "haproxy.cfg"
    servers = "\n".join(f"  server {name} 127.0.0.1:{at}" for name, at in gateways.items())
    file.write_text(CONFIGURATION.format(port=port, servers=servers), encoding="utf-8")
    environ = debian.unpacked("haproxy").environment()
    # Without `-db` it would leave us.
    command = ["haproxy", "-db", "-f", str(file)]
    haproxy = Child("haproxy", command, folder / "haproxy.log", environ, grace=1.0)
    haproxy.start()
    try:
        wait_until(lambda: is_open(port), haproxy, within=20)
        yield port
    finally:
        haproxy.stop()
