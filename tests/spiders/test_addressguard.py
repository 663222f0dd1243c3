"""Addresses that a fetcher must not reach, in every spelling."""

from ipaddress import ip_network

import pytest

from spiders.addressguard import is_allowed, is_literal_allowed, literal_address

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
]


@pytest.mark.parametrize("address", REFUSED)
def test_addresses_that_are_not_public(address: str) -> None:
    assert not is_allowed(address, ())


@pytest.mark.parametrize("address", ["8.8.8.8", "2606:4700::1111", "::ffff:8.8.8.8"])
def test_public_addresses(address: str) -> None:
    assert is_allowed(address, ())


def test_only_the_named_network_is_opened() -> None:
    allowed = (ip_network("127.0.0.1/32"),)
    assert is_allowed("127.0.0.1", allowed)
    assert is_allowed("::ffff:127.0.0.1", allowed)
    assert not is_allowed("127.0.0.2", allowed)
    assert not is_allowed("10.0.0.1", allowed)


@pytest.mark.parametrize(
    ("spelling", "address"),
    [
        ("2130706433", "127.0.0.1"),
        ("0x7f.1", "127.0.0.1"),
        ("0177.0.0.1", "127.0.0.1"),
        ("[::1]", "::1"),
        ("a.example", None),
        ("7up.example", None),
    ],
)
def test_literal_addresses_are_recognised(spelling: str, address: str | None) -> None:
    assert literal_address(spelling) == address


@pytest.mark.parametrize("host", ["localhost", "db.localhost", "printer.local", "2130706433", "10.0.0.1", "metadata.google.internal"])
def test_what_a_proxy_is_not_asked_for(host: str) -> None:
    assert not is_literal_allowed(host, ())
    assert is_literal_allowed("a.example", ())
