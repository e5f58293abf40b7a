"""Where webhooks may not go."""

import ipaddress

import pytest

from services.notifications.webhooks.addresses import (
    UrlRefused,
    check_url,
    is_allowed,
    is_outside,
    literal,
    parse_networks,
)

LOOPBACK = parse_networks("127.0.0.0/8, ::1/128")
INSIDE = (
    "127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1",
    "0.0.0.0", "224.0.0.1", "255.255.255.255", "240.0.0.1", "192.0.2.1", "198.18.0.1",
    "::1", "::", "fe80::1", "fc00::1", "fec0::1", "ff02::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1",
    "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "64:ff9b:1::1", "2002:7f00:1::", "2001::1",
    "::127.0.0.1", "2001:db8::1",
)  # fmt: skip


@pytest.mark.parametrize("address", INSIDE)
def test_an_address_inside_is_no_public_one(address):
    assert not is_outside(ipaddress.ip_address(address))


@pytest.mark.parametrize("address", ["1.1.1.1", "223.5.5.5", "2400:3200::1", "::ffff:1.1.1.1"])
def test_a_public_one_is(address):
    assert is_outside(ipaddress.ip_address(address))


@pytest.mark.parametrize(
    "host",
    [
        *(f"[{address}]" if ":" in address else address for address in INSIDE),
        *("2130706433", "0x7f000001", "0x7f.1", "0177.0.0.1", "017700000001", "127.1", "127.0.1"),
        *("[fe80::1%25eth0]", "127.0.0.1."),
    ],
)
def test_a_literal_address_inside_is_refused_in_any_notation(host):
    with pytest.raises(UrlRefused) as refused:
        check_url(f"https://{host}/", ())

    assert refused.value.code == "address_refused"


@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("http://hooks.example.org/", "https_required"),
        ("ftp://hooks.example.org/", "https_required"),
        ("hooks.example.org", "malformed_url"),
        ("https://", "malformed_url"),
        ("https:///x", "malformed_url"),
        ("https://hooks.example.org:0/", "malformed_url"),
        ("https://hooks.example.org:70000/", "malformed_url"),
        ("https://[::1/", "malformed_url"),
        ("https://hooks.example.org/a b", "malformed_url"),
        ("https://hooks.example.org/\n", "malformed_url"),
        ("https://邻里.example.org/", "malformed_url"),
        ("https://user@hooks.example.org/", "user_in_url"),
        ("https://user:password@hooks.example.org/", "user_in_url"),
        ("https://hooks.example.org/#top", "fragment_in_url"),
    ],
)
def test_a_url_that_is_none_of_ours_is_refused(url, code):
    with pytest.raises(UrlRefused) as refused:
        check_url(url, ())

    assert refused.value.code == code


@pytest.mark.parametrize(
    "url",
    [
        "https://hooks.example.org/",
        "https://hooks.example.org:8443/linli?key=1",
        "https://1.1.1.1/",
        "https://[2400:3200::1]/",
    ],
)
def test_a_public_url_is_taken(url):
    check_url(url, ())


def test_networks_that_a_setting_names_are_let_through_by_plain_http_too():
    check_url("http://127.0.0.1:8000/", LOOPBACK)
    check_url("https://[::1]/", LOOPBACK)
    with pytest.raises(UrlRefused):
        check_url("http://10.0.0.1/", LOOPBACK)
    assert is_allowed(literal("::ffff:127.0.0.1"), LOOPBACK)


def test_what_is_no_network_is_refused():
    with pytest.raises(ValueError, match="10"):
        parse_networks("10.0.0.1/8")
