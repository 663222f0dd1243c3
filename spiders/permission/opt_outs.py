"""Reads opt-outs: robots directives, and the TDM Reservation Protocol (W3C community report of 10 May 2024).

TDMRep has three places: `/.well-known/tdmrep.json`, the `tdm-reservation` header, and the page's `tdm-reservation` meta element. A later
one overrules an earlier one. Values other than 0 and 1 are ignored.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlsplit

from schemas.capture import HeaderList
from schemas.web.directives import NO_DIRECTIVES, Directives, header_directives, meta_directives
from spiders.urls.canonical import ESCAPE, UNRESERVED

TDM_FILE = "/.well-known/tdmrep.json"
TDM_NAME = "tdm-reservation"
TDM_HEADER = TDM_NAME.encode()
TDM_HEADER_LENGTH = len(TDM_HEADER)
MAX_TDM_BYTES = 500 * 1024  # as much as of a robots.txt (RFC 9309)
MAX_TDM_RULES = 10_000  # chosen far above real files; bounds the time for each URL
MAX_PATTERN_STARS = 32  # each star is a search in the path


@dataclass(frozen=True, slots=True)
class OptOuts:
    """The opt-outs in one place: robots directives, and whether text and data mining is reserved (None: not stated)."""

    directives: Directives = NO_DIRECTIVES
    tdm: bool | None = None

    def combined(self, later: OptOuts) -> OptOuts:
        """These opt-outs with those of a place nearer to the page: directives add up, the later TDM reservation holds."""
        if later is NO_OPT_OUTS:
            return self
        return OptOuts(self.directives.combined(later.directives), self.tdm if later.tdm is None else later.tdm)

    def archiving_opt_out(self, now: datetime) -> str | None:
        """The name of the opt-out that forbids archiving the response, or None."""
        if self.tdm:
            return TDM_NAME
        if self.directives.is_expired(now):
            return "unavailable_after"
        return "noarchive" if self.directives.forbids_archiving(now) else None


NO_OPT_OUTS = OptOuts()


def header_opt_outs(headers: HeaderList, product: str) -> OptOuts:
    """The opt-outs in the headers of a response, for the crawler with this product token."""
    tdm: bool | None = None
    for name, value in headers:
        if len(name) == TDM_HEADER_LENGTH and name.lower() == TDM_HEADER:  # the length first: this runs for every header
            tdm = _parse_flag(value.decode("latin-1"), tdm)
    return _opt_outs(header_directives(headers, product), tdm)


def meta_opt_outs(elements: Sequence[tuple[str, str]], product: str) -> OptOuts:
    """The opt-outs in meta elements, as pairs of name and content, for the crawler with this product token."""
    tdm: bool | None = None
    for name, content in elements:
        if name.strip().lower() == TDM_NAME:
            tdm = _parse_flag(content, tdm)
    return _opt_outs(meta_directives(elements, product), tdm)


def _opt_outs(directives: Directives, tdm: bool | None) -> OptOuts:
    return NO_OPT_OUTS if directives is NO_DIRECTIVES and tdm is None else OptOuts(directives, tdm)


def _parse_flag(text: str, earlier: bool | None) -> bool | None:
    """The value of a reservation. Of several in one place the stricter holds."""
    value = {"1": True, "0": False}.get(text.strip())
    return earlier or value if value is not None else earlier


class TdmRules:
    """The rules of an origin's `tdmrep.json`, in order: the first that matches a URL decides."""

    def __init__(self, rules: tuple[tuple[tuple[str, ...], bool, bool], ...] = ()) -> None:
        self._rules = rules

    def __bool__(self) -> bool:
        return bool(self._rules)

    def reserves(self, url: str) -> bool | None:
        """Whether the file reserves a URL; None if no rule matches."""
        if not self._rules:
            return None
        split = urlsplit(url)
        path = _unescape(split.path or "/") + ("?" + split.query if split.query else "")
        return next((reserved for parts, anchored, reserved in self._rules if _matches(path, parts, anchored)), None)


def read_tdm_file(body: bytes) -> TdmRules:
    """The rules in a decoded file. A file that is not a list has none, and malformed rules are ignored."""
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
    """A path whose unreserved characters are not escaped, so that two spellings compare as equal."""
    return ESCAPE.sub(_unescape_plain, path) if "%" in path else path


def _unescape_plain(match: re.Match[str]) -> str:
    character = chr(int(match[0][1:], 16))
    return character if character in UNRESERVED or character in "$*" else match[0].upper()


def _matches(path: str, parts: tuple[str, ...], anchored: bool) -> bool:
    """Whether a path begins with the parts of a pattern, with any text between them. Anchored, it also ends with the last part.

    Takes time in proportion to the path.
    """
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
