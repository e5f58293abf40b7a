"""The way out: requests go to addresses outside alone, checked and pinned at every attempt.

`requests-hardened` looks a name up, refuses an address inside, and connects to the very address it
has checked. What is added here: networks that a setting lets through, plain HTTP to those alone,
and that an address is a public one in every respect.
"""

import ipaddress
import logging
from http.cookiejar import DefaultCookiePolicy
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from requests_hardened.ip_filter import InvalidIPAddress
from requests_hardened.ip_filter_adapter import IPFilterAdapter

from services.notifications.webhooks.addresses import Networks, is_allowed, is_outside

# Hosts, and connections to one, that are kept open for the next time.
_POOLS, _CONNECTIONS = 200, 200
# Their messages name hosts, and count as forbidden what a setting lets through; what became of a
# request is in the log of its delivery.
for _name in ("requests_hardened", "urllib3"):
    logging.getLogger(_name).setLevel(logging.CRITICAL)


class GuardedAdapter(IPFilterAdapter):  # type: ignore[misc]
    """Lets nothing through that leads inside; raises InvalidIPAddress."""

    def __init__(self, *, https: bool, networks: Networks) -> None:
        super().__init__(is_https_proto=https)
        self._networks = networks
        self.init_poolmanager(_POOLS, _CONNECTIONS)

    def build_connection_pool_key_attributes(
        self, request: requests.PreparedRequest, verify: Any, cert: Any = None
    ) -> tuple[Any, Any]:
        """Where to connect to: the address that was checked."""
        try:
            host, pool = super().build_connection_pool_key_attributes(request, verify, cert)
        except InvalidIPAddress as refused:
            address = refused.args[0]
            if not is_allowed(address, self._networks):
                raise
            return self._pinned(request, verify, cert, address)
        address = ipaddress.ip_address(host["host"].strip("[]"))
        outside = self._is_https_proto and is_outside(address)
        if not outside and not is_allowed(address, self._networks):
            raise InvalidIPAddress(address)
        return host, pool

    def _pinned(
        self, request: requests.PreparedRequest, verify: Any, cert: Any, address: Any
    ) -> tuple[Any, Any]:
        """As the parent does it for an address that it does not refuse; it has set `Host`."""
        found: tuple[Any, Any] = HTTPAdapter.build_connection_pool_key_attributes(
            self, request, verify, cert
        )
        host, pool = found
        if self._is_https_proto:
            pool["assert_hostname"] = pool["server_hostname"] = host["host"]
        host["host"] = f"[{address}]" if address.version == 6 else str(address)
        return host, pool


class _Session(requests.Session):
    """Follows nothing. `allow_redirects=False` alone would still read all that a redirect brings,
    unpack it and take its `Location` apart, to say what would come next.
    """

    def get_redirect_target(self, resp: requests.Response) -> None:
        """Nothing leads anywhere."""


def session(networks: Networks, ca_file: str | None) -> requests.Session:
    """A session that goes nowhere else, follows nothing, and remembers nothing of strangers."""
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
    for scheme in ("http", "https"):
        made.mount(f"{scheme}://", GuardedAdapter(https=scheme == "https", networks=networks))
    return made
