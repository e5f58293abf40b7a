"""The way out: connections go to addresses outside alone, each checked before it is connected to.

What is looked up is what is checked and what is connected to, here and nowhere else, so that no
second look-up can say something different. Networks that a setting lets through are let through, by
plain HTTP too.
"""

import ipaddress
import logging
import socket
from http.cookiejar import DefaultCookiePolicy
from typing import Any, cast

import requests
from requests.adapters import HTTPAdapter
from requests_hardened.ip_filter import InvalidIPAddress, get_ip_address
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import ConnectTimeoutError, NewConnectionError
from urllib3.util.connection import create_connection

from services.notifications.webhooks.addresses import Address, Networks, is_allowed, is_outside

# Hosts, and connections to one, that are kept open for the next time.
_POOLS, _CONNECTIONS = 200, 200
# Their messages name hosts; what became of a request is in the log of its delivery.
for _name in ("requests_hardened", "urllib3"):
    logging.getLogger(_name).setLevel(logging.CRITICAL)


# Neither is an OSError, which urllib3 would take for a connection that failed.
class AddressRefused(Exception):
    """None of the host's addresses is one that webhooks go to."""


class NameNotFound(Exception):
    """Nobody knows an address of this host."""


class _Guarded(HTTPConnection):
    """A connection that leads nowhere else."""

    networks: Networks = ()

    def _new_conn(self) -> socket.socket:
        """To the first address of each family in turn: a name may have one of IPv6 although there
        is no way there from here.
        """
        addresses = self._addresses()
        problem: OSError | None = None
        for address in addresses:
            try:
                return create_connection(
                    (str(address), self.port),
                    cast(float, self.timeout) / len(addresses),
                    socket_options=self.socket_options,
                )
            except OSError as error:
                problem = error
        if isinstance(problem, TimeoutError):
            raise ConnectTimeoutError(self, "nobody answers") from problem
        raise NewConnectionError(self, "nobody is there") from problem

    def _addresses(self) -> list[Address]:
        """Of those that may be connected to the first of each family, in the resolver's order."""
        of_family: dict[int, Address] = {}
        for address in _looked_up(self._dns_host, self.port):
            if self._is_let_through(address):
                of_family.setdefault(address.version, address)
        if not of_family:
            raise AddressRefused
        return list(of_family.values())

    def _is_let_through(self, address: Address) -> bool:
        if is_allowed(address, self.networks):
            return True
        secure = isinstance(self, HTTPSConnection)
        return secure and is_outside(address) and not _is_forbidden(address, self.port)


def _looked_up(host: str, port: int) -> list[Address]:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except socket.gaierror as unknown:
        raise NameNotFound from unknown
    addresses: list[Address] = [ipaddress.ip_address(place[0]) for *_, place in found]
    return [getattr(each, "ipv4_mapped", None) or each for each in addresses]


def _is_forbidden(address: Address, port: int) -> bool:
    """What requests-hardened says of it; of an address nothing is looked up."""
    try:
        get_ip_address(str(address), port, allow_loopback=False)
    except InvalidIPAddress:
        return True
    return False


def _pool_classes(networks: Networks) -> dict[str, type[HTTPConnectionPool]]:
    """urllib3's, of connections that know what a setting lets through."""
    known = {"networks": networks}
    plain = type("Plain", (_Guarded,), known)
    secure = type("Secure", (_Guarded, HTTPSConnection), known)
    return {
        "http": type("PlainPool", (HTTPConnectionPool,), {"ConnectionCls": plain}),
        "https": type("SecurePool", (HTTPSConnectionPool,), {"ConnectionCls": secure}),
    }


class _Adapter(HTTPAdapter):
    def __init__(self, networks: Networks) -> None:
        self._networks = networks
        super().__init__(_POOLS, _CONNECTIONS)

    def init_poolmanager(self, *sizes: Any, **options: Any) -> None:
        """As ever, but for the connections."""
        super().init_poolmanager(*sizes, **options)
        self.poolmanager.pool_classes_by_scheme = _pool_classes(self._networks)


class _Session(requests.Session):
    """Follows nothing. `allow_redirects=False` alone would still read all that a redirect brings,
    unpack it and take its `Location` apart, to say what would come next.
    """

    def get_redirect_target(self, resp: requests.Response) -> None:
        """Nothing leads anywhere."""


def session(networks: Networks, ca_file: str | None) -> requests.Session:
    """A session that goes nowhere else, follows nothing, and remembers nothing of strangers; beside
    what requests raises it raises AddressRefused and NameNotFound.
    """
    made = _Session()
    # Neither a proxy nor a password file of the machine has a say in where events go.
    made.trust_env = False
    made.verify = ca_file or True
    made.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    made.headers.clear()
    made.headers["User-Agent"] = "Linli-Webhooks"
    made.headers["Accept"] = "*/*"
    # What is read is not unpacked.
    made.headers["Accept-Encoding"] = "identity"
    adapter = _Adapter(networks)
    for scheme in ("http", "https"):
        made.mount(f"{scheme}://", adapter)
    return made
