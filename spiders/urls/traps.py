"""Detects crawler traps, parts of a site that never end: by the shape of a URL, or by the number of similar URLs on its host.

A URL that a feed, a sitemap or an earlier capture names is never a trap by number.
"""

from __future__ import annotations

import re
from collections import Counter, OrderedDict
from datetime import date
from urllib.parse import urlsplit

from schemas.numbers import plural

# The limits are chosen so that no URL of the extraction benchmarks, thousands of real articles, is a trap: test_traps.py checks that.
MAX_SEGMENTS = 30  # of one path
MAX_SAME_SEGMENT = 3  # times that one segment may occur in a path, as in /news/news/news
MAX_GROUP_REPEATS = 2  # repeats of a group of segments after the first one, as in /a/b/a/b/a/b
MAX_GROUP_SEGMENTS = 4  # of a group that is looked for
MAX_PARAMETERS = 25  # of one query
MAX_SAME_PARAMETER = 3  # times that one name may occur in a query
MAX_FUTURE_DAYS = 550  # a year and a half: calendars of events go this far
MAX_LISTINGS_BY_DATE = 400  # of one series: a year of daily listings
MAX_PARAMETER_COMBINATIONS = 24  # of one path: all choices of four filters, and some more
MIN_PREFIX_PAGES = 1_000  # that a directory may have in any case
MAX_TRACKED_HOSTS = 500  # hosts, and series of each host, whose counts are kept in memory
MAX_TRACKED_KEYS = 500

YEAR = r"(1[89]\d\d|2[01]\d\d)"  # other numbers of four digits are ids
DATE_IN_PATH = re.compile(rf"/{YEAR}[-/](\d{{1,2}})(?:[-/](\d{{1,2}}))?(?=/|\Z)")
DATE_VALUE = re.compile(rf"{YEAR}-(\d{{1,2}})(?:-(\d{{1,2}}))?(?:T.*)?\Z")
LISTING_REST = re.compile(r"/?(?:page/\d+/?|index\.\w+)?\Z")
YEAR_NAMES = frozenset({"year", "yr", "y", "jahr", "annee", "ano", "anno"})
DATE_NAMES = frozenset(
    {"date", "day", "month", "week", "start", "end", "from", "to", "cal", "when", "datum", "tag", "monat", "fecha", "mes"}
)
MONTH_NAMES = frozenset({"month", "mon", "mo", "m", "monat", "mois", "mes", "mese", "day", "d"})


def trap_by_shape(url: str, today: date) -> str | None:
    """Why the shape of a URL makes it a trap, or None: repeated segments or parameters, or a date far in the future."""
    path, _, query = _path_and_query(url)
    segments = [segment for segment in path.split("/") if segment]
    return _repeated_segments(segments) or _repeated_parameters(query) or _far_future(path, query, today)


def _path_and_query(url: str) -> tuple[str, str, str]:
    parts = urlsplit(url)
    return parts.path or "/", "?" if parts.query else "", parts.query


def _repeated_segments(segments: list[str]) -> str | None:
    if len(segments) > MAX_SEGMENTS:
        return f"{len(segments)} path segments"
    if len(segments) <= MAX_GROUP_REPEATS:
        return None
    words = [segment for segment in segments if not segment.isdecimal()]
    segment, count = Counter(words).most_common(1)[0] if words else ("", 0)
    if count > MAX_SAME_SEGMENT:
        return f"the path segment '{segment[:40]}' {count} times"
    for size in range(1, MAX_GROUP_SEGMENTS + 1):
        if any(_is_repeated(segments[start:], size) for start in range(len(segments) - size * (MAX_GROUP_REPEATS + 1) + 1)):
            return "path segments that repeat"
    return None


def _is_repeated(segments: list[str], size: int) -> bool:
    """Whether a list begins with more repeats of one group than allowed. Numbers alone, as in dates, are not a group."""
    group = segments[:size]
    repeats = range(1, MAX_GROUP_REPEATS + 1)
    return not all(one.isdecimal() for one in group) and all(segments[size * n : size * (n + 1)] == group for n in repeats)


def _names(query: str) -> list[str]:
    return [pair.partition("=")[0].lower() for pair in query.split("&") if pair]


def _repeated_parameters(query: str) -> str | None:
    if query.count("&") < MAX_SAME_PARAMETER:
        return None
    names = _names(query)
    if len(names) > MAX_PARAMETERS:
        return f"{len(names)} parameters"
    name, count = Counter(names).most_common(1)[0]
    is_list = name.endswith(("[]", "%5b%5d")) or "[" in name
    return f"the parameter '{name[:40]}' {count} times" if count > MAX_SAME_PARAMETER and not is_list else None


def _far_future(path: str, query: str, today: date) -> str | None:
    day_numbers = [_day_number(match) for match in DATE_IN_PATH.finditer(path)] + [day for _, day in _dated_parameters(query)]
    far_ones = [day for day in day_numbers if day is not None and day - today.toordinal() > MAX_FUTURE_DAYS]
    return "a date far in the future" if far_ones else None


def _day_number(match: re.Match[str]) -> int | None:
    try:
        return date(int(match[1]), int(match[2]), int(match[3] or 1)).toordinal()
    except ValueError:
        return None


def _dated_parameters(query: str) -> list[tuple[str, int | None]]:
    """The parameters that are dates or parts of dates: the name, and the day number if the value has one."""
    found: list[tuple[str, int | None]] = []
    for pair in query.split("&") if query else ():
        name, _, value = pair.partition("=")
        name = name.lower()
        match = DATE_VALUE.match(value)
        if match is not None:
            found.append((name, _day_number(match)))
        elif name in YEAR_NAMES and value.isdecimal() and len(value) == 4:
            found.append((name, date(int(value), 1, 1).toordinal() if int(value) else None))
        elif name in MONTH_NAMES | DATE_NAMES and value.isdecimal() and len(value) <= 8:
            found.append((name, None))
    return found


class HostUrlCounts:
    """Counts of similar URLs on one host, in bounded memory. `max_prefix_pages` is the most pages of one directory."""

    def __init__(self, max_prefix_pages: int) -> None:
        self._max_prefix_pages = max(max_prefix_pages, MIN_PREFIX_PAGES)
        self._pages: OrderedDict[str, int] = OrderedDict()
        self._listings: OrderedDict[str, int] = OrderedDict()
        self._combinations: OrderedDict[str, set[int]] = OrderedDict()

    def count(self, url: str) -> str | None:
        """Count one more URL. Says why there are too many similar ones, or None. Each URL must be counted once."""
        path, _, query = _path_and_query(url)
        listing = _listing_by_date(path, query)
        if listing is not None and _increment(self._listings, listing) > MAX_LISTINGS_BY_DATE:
            return f"more than {MAX_LISTINGS_BY_DATE} listings by date"
        if "&" in query and self._combination_count(path, query) > MAX_PARAMETER_COMBINATIONS:
            return f"more than {MAX_PARAMETER_COMBINATIONS} combinations of parameters"
        if _increment(self._pages, path[: path.rfind("/", 0, -1) + 1]) > self._max_prefix_pages:
            return f"more than {plural(self._max_prefix_pages, 'page')} in one directory"
        return None

    def _combination_count(self, path: str, query: str) -> int:
        """The number of combinations of parameter names that a path had, in any order. Counting stops one above the limit."""
        combinations = self._combinations.setdefault(path, set())
        self._combinations.move_to_end(path)
        if len(self._combinations) > MAX_TRACKED_KEYS:
            self._combinations.popitem(last=False)
        if len(combinations) <= MAX_PARAMETER_COMBINATIONS:
            combinations.add(hash(tuple(sorted(_names(query)))))
        return len(combinations)


def _listing_by_date(path: str, query: str) -> str | None:
    """What a listing by date has in common with the other listings of the series: the URL without its date. None for other URLs."""
    matches = list(DATE_IN_PATH.finditer(path))
    if matches and LISTING_REST.match(path, matches[-1].end()):
        return path[: matches[-1].start()] + "/"
    dated = {name for name, _ in _dated_parameters(query)}
    return path + "?" + "&".join(sorted(dated)) if dated else None


def _increment(counts: OrderedDict[str, int], key: str) -> int:
    """Count one more of a key. The least recently used keys are removed."""
    counts[key] = count = counts.get(key, 0) + 1
    counts.move_to_end(key)
    if len(counts) > MAX_TRACKED_KEYS:
        counts.popitem(last=False)
    return count


class TrapDetector:
    """Detects traps on the hosts of a worker. The least recently used hosts are removed."""

    def __init__(self, max_pages_per_host: int) -> None:
        self._max_prefix_pages = max_pages_per_host // 2
        self._hosts: OrderedDict[int, HostUrlCounts] = OrderedDict()

    def trap_reason(self, host_id: int, url: str, is_trusted: bool, today: date) -> str | None:
        """Why a URL is a trap, or None. `is_trusted`: a feed, a sitemap or an earlier capture names it, so that counts do not matter."""
        shape = trap_by_shape(url, today)
        if shape is not None:
            return shape
        host = self._hosts.setdefault(host_id, HostUrlCounts(self._max_prefix_pages))
        self._hosts.move_to_end(host_id)
        if len(self._hosts) > MAX_TRACKED_HOSTS:
            self._hosts.popitem(last=False)
        trap = host.count(url)
        return None if is_trusted else trap
