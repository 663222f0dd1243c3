"""The address guard: a fetcher connects to public addresses, and to exactly those networks that the crawl's YAML allows.

The check is made on the resolved address when the socket is made, on every hop, so that neither odd spellings (`2130706433`, `0x7f.1`)
nor DNS answers that change between check and connect get through.
"""

from __future__ import annotations

import errno
import socket
from collections.abc import Callable, Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import Any

REFUSED = "address refused by crawlhouse"
NAT64 = IPv6Network("64:ff9b::/96")
SIX_TO_FOUR = IPv6Network("2002::/16")
METADATA = frozenset(
    {ip_address("168.63.129.16"), ip_address("100.100.100.200"), ip_address("192.0.0.192")}
)  # clouds' own, some of them public
LOCAL_NAMES = ("localhost", ".localhost", ".local", ".internal")

Network = IPv4Network | IPv6Network
Address = IPv4Address | IPv6Address


def is_allowed(address: str, allowed: Sequence[Network]) -> bool:
    """Whether a fetcher may connect to a resolved address: global unicast, or inside one of the allowed networks."""
    found = _unwrapped(ip_address(address.partition("%")[0]))
    if any(found.version == network.version and found in network for network in allowed):
        return True
    return found.is_global and not found.is_multicast and not found.is_reserved and found not in METADATA


def _unwrapped(address: Address) -> Address:
    """The IPv4 address inside a mapped, translated or tunnelled IPv6 one."""
    if isinstance(address, IPv4Address):
        return address
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    if address in NAT64:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    if address in SIX_TO_FOUR and address.sixtofour is not None:
        return address.sixtofour
    if address.packed[:12] == bytes(12) and int(address) > 1:  # IPv4-compatible, long deprecated
        return IPv4Address(int(address))
    return address


def literal_address(host: str) -> str | None:
    """The address that a host name spells in any form that resolvers accept, or None for a real name."""
    bare = host.strip("[]")
    try:
        return str(ip_address(bare.partition("%")[0]))
    except ValueError:
        pass
    try:
        return socket.inet_ntoa(socket.inet_aton(bare)) if bare[:1].isdigit() else None
    except OSError:
        return None


def is_literal_allowed(host: str, allowed: Sequence[Network]) -> bool:
    """Whether a URL's host may be asked of a proxy: names are the proxy's duty, addresses and this machine's own names are ours."""
    address = literal_address(host)
    if address is not None:
        return is_allowed(address, allowed)
    name = host.lower().rstrip(".")
    local = any(name == suffix or (suffix.startswith(".") and name.endswith(suffix)) for suffix in LOCAL_NAMES)
    return not local or is_allowed("127.0.0.1", allowed)


def guarded_sockets(allowed: Sequence[Network]) -> Callable[[Any], socket.socket]:
    """A socket factory for aiohttp that refuses addresses; the OSError's text holds `REFUSED`."""

    def make(info: tuple[int, int, int, str, tuple[Any, ...]]) -> socket.socket:
        family, kind, protocol, _, where = info
        if not is_allowed(str(where[0]), allowed):
            raise OSError(errno.EACCES, f"{REFUSED}: {where[0]}")
        made = socket.socket(family, kind, protocol)
        made.setblocking(False)
        return made

    return make
