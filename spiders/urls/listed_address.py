"""Reads the addresses in feeds, sitemaps and robots.txt as they are meant: with their references, blanks and quotes taken out."""

from __future__ import annotations

import html
import re

from storage.urls.host_key import canonical_host, without_port

MAX_CHARACTERS = 8_192  # URLs end at 2,000
AROUND = " \t\r\n\f\"'<>\u00a0\u200b\u200c\u200d\u2060\u3000\ufeff"  # blanks, quotes and invisible characters, which no URL begins with
LINE_BREAKS = re.compile(r"[\r\n]+")
REFERENCE = re.compile(r"&(?:#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[a-zA-Z][a-zA-Z0-9]{1,30});")
GLUED = re.compile(r"[,;|](?=https?://)", re.IGNORECASE)  # between two addresses
MAX_ESCAPES = 3  # of one address: programs escape what others have escaped


def listed_address(text: str | None, list_url: str = "") -> str:
    """An address as it is meant; empty for none. One that begins with the host of the list lacks only its scheme."""
    lines = LINE_BREAKS.split((text or "")[:MAX_CHARACTERS].strip(AROUND))
    address = _unescaped("".join([line.strip(" \t") for line in lines]))
    if list_url and ":" not in address.partition("/")[0]:
        host = without_port(canonical_host(list_url)).removeprefix("www.")
        if address.lower().startswith((f"{host}/", f"www.{host}/")):
            return f"{list_url.partition(':')[0]}://{address}"
    return address


def _unescaped(address: str) -> str:
    """An address without references such as `&amp;` and `&#038;`. A name that HTML does not know belongs to the address."""
    for _ in range(MAX_ESCAPES):
        unescaped = REFERENCE.sub(lambda found: html.unescape(found[0]), address) if ";" in address else address
        if unescaped == address:
            break
        address = unescaped
    return address


def listed_addresses(line: str, list_url: str = "") -> list[str]:
    """The addresses in a line of text: a URL has no blanks. What follows the first one counts only if it begins like a URL."""
    first, *others = GLUED.sub(" ", line[:MAX_CHARACTERS]).strip(AROUND).split() or [""]
    further = [listed_address(one.rstrip(",")) for one in others if one.strip(AROUND).lower().startswith(("http://", "https://"))]
    return [address for address in (listed_address(first.rstrip(",") if further else first, list_url), *further) if address]
