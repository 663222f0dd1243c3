"""Read the zone behind a time: an offset, a short or a long name, or the name of a place."""

from __future__ import annotations

import re
from datetime import timedelta, timezone, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

LARGEST_OFFSET = timedelta(hours=14)
# Hours from UTC.
_HOURS = """
GMT 0 UTC 0 UT 0 Z 0 WET 0 WEST 1 WESZ 1 BST 1 CET 1 MEZ 1 CEST 2 MESZ 2 EET 2 OEZ 2 EEST 3 OESZ 3 MSK 3 МСК 3 TRT 3 TSİ 3 TSI 3 IDT 3
WAT 1 CAT 2 SAST 2 EAT 3 IRST 3.5 GST 4 PKT 5 UZT 5 IST 5.5 SLST 5.5 NPT 5.75 BDT 6 MMT 6.5 ICT 7 WIB 7 WITA 8 WIT 9 SGT 8 MYT 8 PHT 8
PHST 8 HKT 8 JST 9 KST 9 AWST 8 ACST 9.5 ACDT 10.5 AEST 10 AEDT 11 NZST 12 NZDT 13 NST -3.5 NDT -2.5 AST -4 ADT -3 EST -5 EDT -4 CST -6
CDT -5 MST -7 MDT -6 PST -8 PDT -7 AKST -9 AKDT -8 HST -10 BRT -3 ART -3 UYT -3 BOT -4 CLT -4 CLST -3 VET -4 COT -5 PET -5 HNE -5 HAE -4
HNC -6 HAC -5 HNR -7 HAR -6 HNP -8 HAP -7
"""
_ITEMS = _HOURS.split()
_NAMED = {name: timedelta(hours=float(hours)) for name, hours in zip(_ITEMS[::2], _ITEMS[1::2], strict=True)}
# Names that mean another zone on pages in a language, or are one only there.
_BY_LANGUAGE = {
    ("CST", "zh"): 8, ("BST", "bn"): 6, ("IST", "he"): 2, ("IST", "ga"): 1, ("AST", "ar"): 3, ("TU", "fr"): 0,
}  # fmt: skip
_PLACES = {
    "ET": "America/New_York",
    "CT": "America/Chicago",
    "MT": "America/Denver",
    "PT": "America/Los_Angeles",
    "EASTERN": "America/New_York",
    "CENTRAL": "America/Chicago",
    "MOUNTAIN": "America/Denver",
    "PACIFIC": "America/Los_Angeles",
    "AET": "Australia/Sydney",
    "NZT": "Pacific/Auckland",
}
# Words and agencies in capitals behind a time.
_NO_ZONES = "BY VON IN AT ON UHR AM PM UPDATED DE DI PAR POR A I AP AFP DPA APA SDA ANSA EFE PTI ANI UPI BBC CNN THE"
_NO_ZONE = frozenset(_NO_ZONES.split())
# A zone in words, such as "Moscow time". One that is not known makes the time uncertain, but for the place's own time.
_IN_WORDS = re.compile(
    r"""\s*[(（,]?\s*(?:(?P<behind>[^\W\d]{2,16}(?:\s[^\W\d]{2,12}){0,2}?)\s(?:time|Zeit|Sommerzeit)\b|(?P<cjk>[\u4e00-\u9fff]{2,3})(?:时间|時間)
    |(?:hora(?:\sde)?|horário\sde|heure(?:\sde)?|ora(?:\sdi)?|по|بتوقيت)\s(?P<before>[^\W\d]{3,14})(?:\s(?:времени|time))?)""",
    re.IGNORECASE | re.VERBOSE,
)
_OFFSET = re.compile(r"\s*\(?(?:(UTC|GMT|UT|MSK|МСК)\s?)?([+-])(\d{1,2})(?::?([0-5]\d))?(?![\d:])", re.IGNORECASE)
_NAME = re.compile(r"\s*\(?([A-ZМСКİ]{1,5}|gmt|utc|z|mez|mesz|cet|cest|мск)(?![^\W_])")
_LOCAL = frozenset(("local", "ortszeit", "lokale", "locale", "местному", "当地", "當地", "現地", "المحلي", "read", "reading", "the"))
_SPOKEN = {
    "moscow": "Europe/Moscow", "московскому": "Europe/Moscow", "москве": "Europe/Moscow", "киевскому": "Europe/Kyiv",
    "гринвичу": "UTC", "beijing": "Asia/Shanghai", "北京": "Asia/Shanghai", "美东": "America/New_York", "美東": "America/New_York",
    "台北": "Asia/Taipei", "台灣": "Asia/Taipei", "香港": "Asia/Hong_Kong", "日本": "Asia/Tokyo", "東京": "Asia/Tokyo",
    "tokyo": "Asia/Tokyo",
    "japan": "Asia/Tokyo", "singapore": "Asia/Singapore", "hong kong": "Asia/Hong_Kong", "brussels": "Europe/Brussels",
    "india": "Asia/Kolkata", "indian": "Asia/Kolkata", "paris": "Europe/Paris", "madrid": "Europe/Madrid", "peninsular": "Europe/Madrid",
    "española": "Europe/Madrid", "française": "Europe/Paris", "londres": "Europe/London", "lisboa": "Europe/Lisbon",
    "london": "Europe/London", "uk": "Europe/London", "brasília": "America/Sao_Paulo", "italiana": "Europe/Rome", "berlin": "Europe/Berlin",
    "berliner": "Europe/Berlin", "deutscher": "Europe/Berlin", "central european": "Europe/Berlin", "new york": "America/New_York",
    "montréal": "America/Toronto", "israel": "Asia/Jerusalem", "us eastern": "America/New_York", "us pacific": "America/Los_Angeles",
    "مكة": "Asia/Riyadh", "السعودية": "Asia/Riyadh", "القاهرة": "Africa/Cairo", "غرينتش": "UTC", "جرينتش": "UTC", "غرينيتش": "UTC",
}  # fmt: skip
# Long names, as programs write them, by their short ones.
_SHORT = {
    "greenwich mean": "GMT", "coordinated universal": "UTC", "british summer": "BST", "india standard": "IST", "indian standard": "IST",
    "pakistan standard": "PKT", "japan standard": "JST", "korean standard": "KST", "korea standard": "KST", "china standard": "HKT",
    "singapore standard": "SGT", "hong kong standard": "HKT", "philippine standard": "PHT", "gulf standard": "GST",
    "moscow standard": "MSK", "south africa standard": "SAST", "east africa": "EAT", "west africa": "WAT", "central africa": "CAT",
    "central european standard": "CET", "eastern european standard": "EET", "western european standard": "WET",
    "central european summer": "CEST", "eastern european summer": "EEST", "western european summer": "WEST",
    "australian eastern standard": "AEST", "australian eastern daylight": "AEDT", "australian central standard": "ACST",
    "australian central daylight": "ACDT", "australian western standard": "AWST", "new zealand standard": "NZST",
    "new zealand daylight": "NZDT", "atlantic standard": "AST", "atlantic daylight": "ADT", "alaska standard": "AKST",
    "alaska daylight": "AKDT", "hawaii standard": "HST", "newfoundland standard": "NST", "newfoundland daylight": "NDT",
    "mitteleuropäische": "CET", "mitteleuropäischer": "CET",
}  # fmt: skip
_SUMMER = {"mitteleuropäische": "CEST", "mitteleuropäischer": "CEST"}
_PLACE = re.compile(r"\s*[\[(]?([A-Z][A-Za-z]+(?:/[A-Z][A-Za-z_]+)+)")
_LONG_NAME = re.compile(r"\s*\(?(Eastern|Central|Mountain|Pacific)\s+(?:(Daylight|Standard)\s+)?Time\b", re.IGNORECASE)
_BARE_NAME = re.compile(r"\s*\(?(Eastern|Central|Mountain|Pacific)(?=\)|\s*(?:[|·,;/]|$))")


def read_zone(text: str, language: str | None, *, dashed: bool = True) -> tuple[bool, tzinfo | None]:
    """The zone at the beginning of a text, and whether the text can be relied on. `dashed`: a dash begins an offset, not a range."""
    if match := _OFFSET.match(text):
        return _offset(match, text, dashed=dashed)
    if match := _PLACE.match(text):
        return _place(match[1])
    if match := _LONG_NAME.match(text):
        kind = {"D": "DT", "S": "ST"}.get((match[2] or " ")[0].upper())
        return (True, timezone(_NAMED[match[1][0].upper() + kind])) if kind else _place(_PLACES[match[1].upper()])
    if match := _BARE_NAME.match(text):
        return _place(_PLACES[match[1].upper()])
    if match := _IN_WORDS.match(text):
        return _spoken(match)
    if match := _NAME.match(text):
        return _named(match[1].upper(), language)
    return True, None


def zone_apart(text: str, language: str | None) -> tzinfo | None:
    """A zone at the beginning of a text that stands apart from its time: `21:30, 7 March 2025 (UTC)`. None: none that is certain."""
    match = _NAME.match(text)
    return _named(match[1].upper(), language)[1] if match else None


def _offset(match: re.Match[str], text: str, *, dashed: bool) -> tuple[bool, tzinfo | None]:
    if match[2] == "-" and not dashed and not match[1] and not (match[4] and ":" not in match[0]):
        return True, None
    size = timedelta(hours=int(match[3]), minutes=int(match[4] or 0))
    start = _NAMED["MSK"] if (match[1] or "").upper() in {"MSK", "МСК"} else timedelta()  # MSK+2 counts from Moscow
    offset = start + (-size if match[2] == "-" else size)
    return (True, timezone(offset)) if abs(offset) <= LARGEST_OFFSET else (False, None)


def _spoken(match: re.Match[str]) -> tuple[bool, tzinfo | None]:
    """A zone in words: a long name, or a place's."""
    name = (match["behind"] or match["cjk"] or match["before"]).lower()
    short = (_SUMMER if match[0].lower().endswith("sommerzeit") else _SHORT).get(name)
    if short:
        return True, timezone(_NAMED[short])
    return _place(_SPOKEN[name]) if name in _SPOKEN else (not _LOCAL.isdisjoint(name.split()), None)


def _named(name: str, language: str | None) -> tuple[bool, tzinfo | None]:
    """A zone by its name. An unknown name in capitals may be a zone, so the time cannot be relied on."""
    hours = _BY_LANGUAGE.get((name, language or ""))
    if hours is not None:
        return True, timezone(timedelta(hours=hours))
    if name in _NAMED:
        return True, timezone(_NAMED[name])
    return _place(_PLACES[name]) if name in _PLACES else (name in _NO_ZONE, None)


def _place(name: str) -> tuple[bool, tzinfo | None]:
    try:
        return True, ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False, None
