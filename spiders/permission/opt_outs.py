"""What the owner of an answer reserves: robots directives, and the TDM Reservation Protocol (W3C community report of 10 May 2024).

TDMRep has three places, each of which overrules the one before: `/.well-known/tdmrep.json`, the `tdm-reservation` header, and the page's
`tdm-reservation` meta element. Any value but 0 and 1 counts as not given.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlsplit

from schemas.capture import HeaderList
from schemas.directives import NO_DIRECTIVES, Directives, header_directives, is_addressed, read_directives

TDM_FILE = "/.well-known/tdmrep.json"
TDM_NAME = "tdm-reservation"
MAX_TDM_BYTES = 500 * 1024
MAX_TDM_RULES = 10_000
MAX_PATTERN_STARS = 32
META_TAG = re.compile(rb"<[mM][eE][tT][aA]\b[^>]*")
ESCAPE = re.compile(r"%[0-9a-fA-F]{2}")
UNRESERVED = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")


@dataclass(frozen=True, slots=True)
class OptOuts:
    """What one place says: robots directives, and whether text and data mining is reserved (None: it does not say)."""

    directives: Directives = NO_DIRECTIVES
    tdm: bool | None = None

    def combined_with(self, later: OptOuts) -> OptOuts:
        """This place with one that is nearer to the page: directives add up, a reservation is overruled."""
        if later is NO_OPT_OUTS:
            return self
        return OptOuts(self.directives.combined(later.directives), self.tdm if later.tdm is None else later.tdm)

    def archiving_opt_out(self, now: datetime) -> str | None:
        """What forbids keeping the answer, by its name, or None."""
        if self.tdm:
            return TDM_NAME
        if self.directives.is_expired(now):
            return "unavailable_after"
        return "noarchive" if self.directives.forbids_archiving(now) else None


NO_OPT_OUTS = OptOuts()


def header_opt_outs(headers: HeaderList, product: str) -> OptOuts:
    """What the headers of an answer say to the crawler of that product token."""
    tags: list[str] = []
    tdm: bool | None = None
    for name, value in headers:
        if len(name) not in {12, 15}:  # the hot path: most headers are neither
            continue
        lower = name.lower()
        if lower == b"x-robots-tag":
            tags.append(value.decode("latin-1"))
        elif lower == b"tdm-reservation":
            tdm = _parse_flag(value.decode("latin-1"), tdm)
    if not tags and tdm is None:
        return NO_OPT_OUTS
    return OptOuts(header_directives(tags, product), tdm)


def may_have_opt_outs(html: bytes, product: str) -> bool:
    """Whether some meta element in a page's bytes holds one of the names it would need; a search, no parsing."""
    names = (b"robots", TDM_NAME.encode(), product.lower().encode())
    return any(name in tag.lower() for tag in META_TAG.findall(html) for name in names)


def meta_opt_outs(elements: Iterable[tuple[str, str]], product: str) -> OptOuts:
    """What meta elements, as pairs of name and content, say to the crawler of that product token."""
    directives, tdm = NO_DIRECTIVES, None
    for name, content in elements:
        if is_addressed(name, product):
            directives = directives.combined(read_directives(content))
        elif name.strip().lower() == TDM_NAME:
            tdm = _parse_flag(content, tdm)
    return NO_OPT_OUTS if directives is NO_DIRECTIVES and tdm is None else OptOuts(directives, tdm)


def _parse_flag(text: str, earlier: bool | None) -> bool | None:
    """A reservation's value; of several the stricter holds."""
    value = {"1": True, "0": False}.get(text.strip())
    return earlier or value if value is not None else earlier


class TdmRules:
    """The rules of an origin's `tdmrep.json`, in their order: the first that matches holds."""

    def __init__(self, rules: tuple[tuple[tuple[str, ...], bool, bool], ...] = ()) -> None:
        self._rules = rules

    def __bool__(self) -> bool:
        return bool(self._rules)

    def reserves(self, url: str) -> bool | None:
        """Whether the file reserves a URL; None where it does not say."""
        if not self._rules:
            return None
        split = urlsplit(url)
        path = _unescape(split.path or "/") + ("?" + split.query if split.query else "")
        return next((reserved for parts, anchored, reserved in self._rules if _matches(path, parts, anchored)), None)


def read_tdm_file(body: bytes) -> TdmRules:
    """The rules of a decoded file; what is not a list of rules, and any rule that is malformed, counts as not given."""
    try:
        data = json.loads(body[:MAX_TDM_BYTES].decode("utf-8-sig"))
    except (ValueError, RecursionError):
        return TdmRules()
    rules: list[tuple[tuple[str, ...], bool, bool]] = []
    for entry in data[:MAX_TDM_RULES] if isinstance(data, list) else ():
        location, value = (entry.get("location"), entry.get(TDM_NAME)) if isinstance(entry, dict) else (None, None)
        reserved = {"1": True, "0": False}.get(str(value).strip()) if not isinstance(value, bool) else None
        if isinstance(location, str) and reserved is not None and location.count("*") <= MAX_PATTERN_STARS:
            parts = tuple(_unescape(part) for part in location.removesuffix("$").split("*"))
            rules.append((parts, location.endswith("$"), reserved))
    return TdmRules(tuple(rules))


def _unescape(path: str) -> str:
    """A path with the escapes of plain characters resolved, as both sides of a comparison need it."""
    return ESCAPE.sub(_unescape_plain, path) if "%" in path else path


def _unescape_plain(match: re.Match[str]) -> str:
    character = chr(int(match[0][1:], 16))
    return character if character in UNRESERVED or character in "$*" else match[0].upper()


def _matches(path: str, parts: tuple[str, ...], anchored: bool) -> bool:
    """Whether a path begins with the parts of a pattern, anything between them; anchored, it also ends there. Linear in the path."""
    if not path.startswith(parts[0]):
        return False
    position = len(parts[0])
    if anchored and len(parts) == 1:
        return position == len(path)
    last = len(parts) - 1
    for number, part in enumerate(parts[1:], 1):
        if anchored and number == last:
            return len(path) - len(part) >= position and path.endswith(part)
        found = path.find(part, position)
        if found < 0:
            return False
        position = found + len(part)
    return True
