"""Where webhooks may go: never inside, in whatever notation. Pure: nothing is looked up here."""

import ipaddress
import socket
from collections.abc import Sequence
from urllib.parse import urlsplit

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Networks = Sequence[Network]

LONGEST_URL = 2000
# Whatever carries an IPv4 address inside an IPv6 one, or leads out through a relay.
_TRANSLATED = tuple(
    ipaddress.IPv6Network(network)
    for network in ("64:ff9b::/96", "64:ff9b:1::/48", "2002::/16", "2001::/32", "::/96")
)


class UrlRefused(Exception):
    """Nothing is sent there; `code` says why."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


def parse_networks(text: str) -> tuple[Network, ...]:
    """`"127.0.0.0/8 ::1/128"`; raises ValueError."""
    return tuple(ipaddress.ip_network(word) for word in text.replace(",", " ").split())


def is_allowed(address: Address, networks: Networks) -> bool:
    """Whether a setting lets this address through, whatever it is."""
    return any(address in network for network in networks if network.version == address.version)


def is_outside(address: Address) -> bool:
    """Whether the address is one of the public internet, reached directly."""
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is not None:
            return is_outside(address.ipv4_mapped)
        if address.is_site_local or any(address in network for network in _TRANSLATED):
            return False
    return address.is_global and not address.is_multicast and not address.is_reserved


def check_url(url: str, networks: Networks) -> None:
    """Raises UrlRefused for a URL that can be seen to be none that webhooks are sent to. A name may
    still turn out to lead inside: that is seen when it is connected to.
    """
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        raise UrlRefused("malformed_url", "Not a URL.") from None
    # `urlsplit` drops line breaks; what it did not read must not be sent.
    if not host or port == 0 or not url.isascii() or not url.isprintable() or " " in url:
        raise UrlRefused("malformed_url", "Not a URL.")
    if parts.username is not None or parts.password is not None:
        raise UrlRefused("user_in_url", "A URL must name no user and no password.")
    if "#" in url:
        raise UrlRefused("fragment_in_url", "A URL must have no fragment.")
    address = literal(host)
    if address is not None and not (is_outside(address) or is_allowed(address, networks)):
        raise UrlRefused("address_refused", "Nothing is sent to this address.")
    if parts.scheme != "https" and not (parts.scheme == "http" and networks):
        raise UrlRefused("https_required", "A URL must begin with https://.")


def literal(host: str) -> Address | None:
    """The address that a host is, in any notation that a resolver takes for one (decimal,
    hexadecimal, octal, shortened); None for a name.
    """
    try:
        found: Address = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        try:
            # inet_aton(3) reads what the C library's resolver would, and looks nothing up.
            found = ipaddress.IPv4Address(socket.inet_aton(host.rstrip(".")))
        except (OSError, UnicodeEncodeError, ValueError):
            return None
    mapped = getattr(found, "ipv4_mapped", None)
    return mapped or found
