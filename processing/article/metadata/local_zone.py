"""The zone of a site whose pages declare times in UTC for machines, and show readers the day of another zone."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from functools import lru_cache
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from processing.article.dates.zones import LARGEST_OFFSET

ONE_DAY = timedelta(days=1)
_QUARTER = 15 * 60  # seconds: offsets are multiples of it
# Top-level domains of countries that sites everywhere use.
_ANYWHERE = frozenset(("ac", "ai", "cc", "co", "fm", "gg", "im", "io", "la", "li", "ly", "me", "sh", "to", "tv", "vc", "ws"))
_COUNTRIES = {"uk": "GB"}
# Between which hours from UTC all zones of a country are, in in all years since 1990: what most pages need, without loading the zones.
_HOURS = """
US -10 -4 GB 0 1 IE 0 1 DE 1 2 AT 1 2 CH 1 2 FR 1 2 IT 1 2 NL 1 2 BE 1 2 SE 1 2 NO 1 2 DK 1 2 PL 1 2 CZ 1 2 ES 0 2 PT -1 2 UA 2 4 RU 2 13
TR 2 3 IN 5.5 5.5 CN 6 9 JP 9 9 KR 9 9 AU 8 11 NZ 12 14 CA -8 -2.5 BR -5 -1 AR -4 -2
"""
_ITEMS = _HOURS.split()
BOUNDS = {
    country: (timedelta(hours=float(least)), timedelta(hours=float(most)))
    for country, least, most in zip(_ITEMS[::3], _ITEMS[1::3], _ITEMS[2::3], strict=True)
}


def may_move(moment: datetime, country: str | None) -> bool:
    """Whether a moment in UTC may have another day in a zone of a country. Of an unknown country it may."""
    within = BOUNDS.get(country or "")
    if within is not None and not _moves(moment, within):
        return False
    return not has_zones(country) or _moves(moment, country_offsets(moment, country))


def has_zones(country: str | None) -> bool:
    """Whether the zones of a country are known."""
    return bool(_zones(country))


def _moves(moment: datetime, offsets: Iterable[timedelta]) -> bool:
    return any((moment + offset).date() != moment.date() for offset in offsets)


def country_offsets(moment: datetime, country: str | None) -> set[timedelta]:
    """The offsets of the zones of a country at a moment; none of an unknown country."""
    wall = moment.replace(tzinfo=None)
    return {offset for zone in _zones(country) if (offset := zone.utcoffset(wall)) is not None}


def local_offset(declared: datetime, seen: datetime, country: str | None) -> timezone | None:
    """The offset of the zone in which a moment in UTC has the day, and the time if it has one, that readers see.

    `seen` is the date that the page shows, without a zone: midnight if it shows no time. The offset is that of a zone of the country, if
    these are known. Without a time it must be the only one that fits. None: the days agree, or the offset is not certain.
    """
    if abs(seen.date() - declared.date()) != ONE_DAY:
        return None
    if seen.time() != datetime.min.time():
        offset = _between(declared, seen)
        fits = offset is not None and (not has_zones(country) or offset in country_offsets(declared, country))
        return timezone(offset) if offset is not None and fits else None
    fitting = {offset for offset in country_offsets(declared, country) if offset and (declared + offset).date() == seen.date()}
    return timezone(fitting.pop()) if len(fitting) == 1 else None


def _between(declared: datetime, seen: datetime) -> timedelta | None:
    """The offset of a time that readers see, which may be cut to the minute."""
    difference = (seen.replace(second=0) - declared.replace(second=0)).total_seconds()
    offset = timedelta(seconds=difference)
    return offset if not difference % _QUARTER and abs(offset) <= LARGEST_OFFSET else None


def country_of(url: str, language: str | None) -> str | None:
    """The code of the country that a page's language names, otherwise its host."""
    region = (language or "").replace("_", "-").split("-")[-1]
    if len(region) == 2 and region.isupper():
        return region
    domain = (urlsplit(url).hostname or "").rsplit(".", 1)[-1]
    return _COUNTRIES.get(domain, domain.upper()) if len(domain) == 2 and domain not in _ANYWHERE else None


@lru_cache(maxsize=256)
def _zones(country: str | None) -> Iterable[tzinfo]:
    """The time zones of a country; none for an unknown one."""
    if country is None:
        return ()
    from babel.core import get_global  # imported only for pages with a moment in UTC

    zones = []
    for name in get_global("territory_zones").get(country, ()):
        try:
            zones.append(ZoneInfo(name))
        except (ZoneInfoNotFoundError, ValueError, OSError):
            continue
    return tuple(zones)


def is_utc(zone: str | None, moment: datetime) -> bool:
    """Whether a moment was declared in UTC, with a time."""
    return zone == "+00:00" and moment.astimezone(UTC).time() != datetime.min.time()
