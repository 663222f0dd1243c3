"""Addresses that a fetcher must not reach, in every spelling."""

import socket
from ipaddress import ip_network

import pytest

from spiders.download.address_guard import is_address_allowed, is_host_allowed, literal_address

REFUSED = [
    "127.0.0.1",
    "127.8.8.8",
    "0.0.0.0",
    "10.1.2.3",
    "172.16.0.1",
    "192.168.1.1",
    "169.254.169.254",
    "100.64.0.1",
    "100.100.100.200",
    "168.63.129.16",
    "224.0.0.1",
    "240.0.0.1",
    "255.255.255.255",
    "192.0.2.1",
    "198.18.0.1",
    "::",
    "::1",
    "fe80::1%eth0",
    "fc00::1",
    "fd00:ec2::254",
    "ff02::1",
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.1",
    "64:ff9b::7f00:1",
    "2002:7f00:1::",
    "::127.0.0.1",
    "2001:db8::1",
    "fec0::1",
    "feff::1",
    "3fff::1",
    "3fff:fff::1",
    "192.88.99.1",
    "192.0.0.9",
    "198.19.255.255",
    "203.0.113.7",
    "64:ff9b:1::1",
    "100::1",
    "100:0:0:1::1",
    "2001::1",
    "2001:2::1",
    "2001:10::1",
    "2001:20::1",
    "2001:30::1",
    "5f00::1",
    "4000::1",
    "2620:0:1::5efe:10.0.0.1",
    "2620:0:1::200:5efe:7f00:1",
    "2002:c058:6301::",
    "ff0e::1",
]


@pytest.mark.parametrize("address", REFUSED)
def test_addresses_that_are_not_public(address: str) -> None:
    assert not is_address_allowed(address, ())


@pytest.mark.parametrize("address", ["8.8.8.8", "2606:4700::1111", "::ffff:8.8.8.8", "2001:4860:4860::8888", "192.31.196.1"])
def test_public_addresses(address: str) -> None:
    assert is_address_allowed(address, ())


def test_only_the_named_network_is_opened() -> None:
    allowed = (ip_network("127.0.0.1/32"),)
    assert is_address_allowed("127.0.0.1", allowed)
    assert is_address_allowed("::ffff:127.0.0.1", allowed)
    assert not is_address_allowed("127.0.0.2", allowed)
    assert not is_address_allowed("10.0.0.1", allowed)


@pytest.mark.parametrize(
    ("spelling", "address"),
    [
        ("2130706433", "127.0.0.1"),
        ("0x7f.1", "127.0.0.1"),
        ("0177.0.0.1", "127.0.0.1"),
        ("[::1]", "::1"),
        ("127.0.0.1.", "127.0.0.1"),
        ("a.example", None),
        ("7up.example", None),
    ],
)
def test_literal_addresses_are_recognised(spelling: str, address: str | None) -> None:
    assert literal_address(spelling) == address


LOCAL = [
    "localhost", "LOCALHOST", "localhost.", "db.localhost", "a.b.localhost.", "localhost.localdomain", "localhost.localdomain.",
    "localhost6", "localhost6.localdomain6", "ip6-localhost", "ip6-loopback", "printer.local", "metadata.google.internal", "nas.home.arpa",
    "127.0.0.1.", "127.1", "0", "0x7f000001", "2130706433", "0177.0.0.1", "10.0.0.1.", "[::1]", "::1", "[::ffff:127.0.0.1]",
]  # fmt: skip


@pytest.mark.parametrize("host", LOCAL)
def test_what_a_proxy_is_not_asked_for(host: str) -> None:
    assert not is_host_allowed(host, ())
    assert not is_host_allowed(host, (ip_network("192.0.2.0/24"),))


def test_what_a_proxy_is_asked_for() -> None:
    assert is_host_allowed("a.example", ())
    assert is_host_allowed("localhost.example", ())
    assert is_host_allowed("8.8.8.8", ())
    assert is_host_allowed("localhost", (ip_network("127.0.0.0/8"),))


def test_names_without_a_dot_and_this_machines_own_need_an_allowed_network() -> None:
    assert not is_host_allowed("intranet", ())
    assert is_host_allowed("intranet", (ip_network("10.0.0.0/8"),))
    assert not is_host_allowed(socket.gethostname(), (ip_network("192.0.2.0/24"),))
