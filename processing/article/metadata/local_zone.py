"""The zone of a site whose pages declare times in UTC for machines, and show readers the day of another zone."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from functools import lru_cache
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from processing.article.metadata.clocks import LARGEST_OFFSET

ONE_DAY = timedelta(days=1)
_QUARTER = 15 * 60  # seconds: offsets are multiples of it
# Top-level domains of countries that sites everywhere use.
_ANYWHERE = frozenset(("ac", "ai", "cc", "co", "fm", "gg", "im", "io", "la", "li", "ly", "me", "sh", "to", "tv", "vc", "ws"))
_COUNTRIES = {"uk": "GB"}


def local_offset(declared: datetime, seen: datetime, url: str, language: str | None) -> timezone | None:
    """The offset of the zone in which a moment in UTC has the day, and the time if it has one, that readers see.

    `seen` is the date that the page shows, without a zone: midnight if it shows no time. Then the offset is that of the country of the
    page's language or host, if all its zones with that day have one. None: the days agree, or the offset is not certain.
    """
    if abs(seen.date() - declared.date()) != ONE_DAY:
        return None
    if seen.time() != datetime.min.time():
        return _between(declared, seen)
    found = {zone.utcoffset(declared.replace(tzinfo=None)) for zone in _zones(_country(url, language))}
    fitting = {offset for offset in found if offset and (declared + offset).date() == seen.date()}
    return timezone(fitting.pop()) if len(fitting) == 1 else None


def _between(declared: datetime, seen: datetime) -> timezone | None:
    """The offset of a time that readers see, which may be cut to the minute."""
    difference = (seen.replace(second=0) - declared.replace(second=0)).total_seconds()
    offset = timedelta(seconds=difference)
    return timezone(offset) if not difference % _QUARTER and abs(offset) <= LARGEST_OFFSET else None


def _country(url: str, language: str | None) -> str | None:
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
    from babel.core import get_global  # imported only for the few pages whose days differ

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
