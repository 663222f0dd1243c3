"""Read the time of day and its zone beside a date. What cannot be read for certain is no time."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from typing import NamedTuple
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from processing.article.dates.day_periods import Period, hour_of_day
from processing.article.dates.months import main_language, words_of

BEHIND = 60  # characters behind a date in which its time stands
GAP = 28  # characters between the two
LARGEST_OFFSET = timedelta(hours=14)
# Hours from UTC.
_HOURS = """
GMT 0 UTC 0 UT 0 Z 0 WET 0 WEST 1 WESZ 1 BST 1 CET 1 MEZ 1 CEST 2 MESZ 2 EET 2 OEZ 2 EEST 3 OESZ 3 MSK 3 МСК 3 TRT 3 WAT 1
CAT 2 SAST 2 EAT 3 GST 4 PKT 5 IST 5.5 NPT 5.75 BDT 6 ICT 7 WIB 7 WITA 8 WIT 9 SGT 8 MYT 8 PHT 8 PHST 8 HKT 8 JST 9 KST 9
AWST 8 ACST 9.5 ACDT 10.5 AEST 10 AEDT 11 NZST 12 NZDT 13 NST -3.5 NDT -2.5 AST -4 ADT -3 EST -5 EDT -4 CST -6 CDT -5 MST -7
MDT -6 PST -8 PDT -7 AKST -9 AKDT -8 HST -10 BRT -3 ART -3 HNE -5 HAE -4 HNC -6 HAC -5 HNR -7 HAR -6 HNP -8 HAP -7
"""
_ITEMS = _HOURS.split()
_NAMED = {name: timedelta(hours=float(hours)) for name, hours in zip(_ITEMS[::2], _ITEMS[1::2], strict=True)}
# Names that mean another zone on pages in a language.
_BY_LANGUAGE = {("CST", "zh"): 8, ("BST", "bn"): 6, ("IST", "he"): 2, ("IST", "ga"): 1, ("AST", "ar"): 3}
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
}
_FORMS = (
    re.compile(r"(?<![\d:.])(\d{1,2})[:：](\d{2})(?:[:：](\d{2})(?:[.,]\d+)?)?(?![\d:])"),
    re.compile(r"(?<![\d:.,])(\d{1,2})\s?(?:h|u|Uhr|heures?)\s?(\d{1,2})(?:\s?(?:m|min)\b\.?)?(?!\d|\.\d)()", re.IGNORECASE),
    re.compile(r"(?<![\d:.,])(\d{1,2})\s?[点點时時시]\s?(?:(\d{1,2}|[半반])\s?[分분]?)?(?:\s?(\d{1,2})\s?[秒초])?"),
    re.compile(
        r"(?<![\d:.,])(\d{1,2})\.(\d{2})(?:\.(\d{2}))?(?![.\d])"
        r"(?=\s?(?:Uhr|uur|น\.|WIB|WITA|WIT|[ap]\.?m|at night|in the|$|\s?\(?[A-Z]{3,4}\b))",
        re.IGNORECASE,
    ),
    re.compile(r"(?<=kl )(\d{1,2})\.(\d{2})()(?![.\d])|(?<=kl\. )(\d{1,2})\.(\d{2})(?![.\d])|(?<=klo )(\d{1,2})\.(\d{2})(?![.\d])"),
    re.compile(r"(?<![\d:.,])(\d{1,2})()()\s?(?=[ap]\.?\s?m\b|Uhr\b|h\b|heures?\b|noon\b|midnight\b|o.clock\b)", re.IGNORECASE),
    re.compile(r"^T(\d{2})(\d{2})?(\d{2})?(?=Z|[+-]|$)"),
)
_HOUR_WORD = re.compile(r"\s*(?:Uhr|hrs?\b\.?|h\b|heures?\b|o.clock\b|น\.|ч\.)[,.]?", re.IGNORECASE)
# How long something takes is no time of day. An end behind the time is of a range: its half of the day is that of the beginning, too.
_TAKES = re.compile(
    r"\s?(?:h\s?)?(?:min|sec|std|stunden|hours?|(?:de\s|di\s)?(?:read|lectura|lecture|lettura|lese|video|audio|listen|ago))", re.IGNORECASE
)
_LENGTH = re.compile(r"(?:length|duration|dauer|länge|laufzeit|durée|duración|duração|durata|runtime|playtime|lesezeit)\W*$", re.IGNORECASE)
_RANGE_END = re.compile(r"\s*[-–—]\s*(\d{1,2})(?:[:.]\d{2})?(?=\s?[ap]\.?\s?m\b)", re.IGNORECASE)
# A zone in words, such as "Moscow time". One that is not known makes the time uncertain, but for the place's own time.
_IN_WORDS = re.compile(
    r"\s*[(（,]?\s*(?:(?P<behind>[^\W\d]{2,12}(?:\s[^\W\d]{2,12})?)\s(?:standard\s)?(?:time|Zeit)\b|(?P<cjk>[\u4e00-\u9fff]{2,3})(?:时间|時間)"
    r"|(?:hora(?:\sde)?|heure\sde|ora(?:\sdi)?|по)\s(?P<before>[^\W\d]{3,14})(?:\s(?:времени|time))?)",
    re.IGNORECASE,
)
_OFFSET = re.compile(r"\s*\(?(?:(UTC|GMT|UT)\s?)?([+-])(\d{1,2})(?::?([0-5]\d))?(?![\d:])", re.IGNORECASE)
_NAME = re.compile(r"\s*\(?([A-ZМСК]{1,5}|gmt|utc|z|mez|mesz|cet|cest|мск)(?![^\W_])")
_LOCAL = frozenset(("local", "ortszeit", "lokale", "locale", "местному", "当地", "當地", "現地", "read", "reading", "the"))
_SPOKEN = {
    "moscow": "Europe/Moscow", "московскому": "Europe/Moscow", "киевскому": "Europe/Kyiv",
    "beijing": "Asia/Shanghai", "北京": "Asia/Shanghai",
    "台北": "Asia/Taipei", "香港": "Asia/Hong_Kong", "日本": "Asia/Tokyo", "東京": "Asia/Tokyo",
    "japan": "Asia/Tokyo", "singapore": "Asia/Singapore",
    "india": "Asia/Kolkata", "indian": "Asia/Kolkata", "paris": "Europe/Paris", "madrid": "Europe/Madrid", "peninsular": "Europe/Madrid",
    "london": "Europe/London", "uk": "Europe/London", "brasília": "America/Sao_Paulo", "italiana": "Europe/Rome", "berlin": "Europe/Berlin",
    "mitteleuropäische": "Europe/Berlin", "central european": "Europe/Berlin", "new york": "America/New_York",
}  # fmt: skip
_PLACE = re.compile(r"\s*[\[(]?([A-Z][A-Za-z]+(?:/[A-Z][A-Za-z_]+)+)")
_LONG_NAME = re.compile(r"\s*\(?(Eastern|Central|Mountain|Pacific)\s+(?:(Daylight|Standard)\s+)?Time\b", re.IGNORECASE)
_ATTACHED = {"a": Period.AM, "p": Period.PM}  # 9:30p
_NO_ZONE = frozenset(("BY", "VON", "IN", "AT", "ON", "UHR", "AM", "PM", "UPDATED", "DE", "DI", "PAR", "POR", "A", "I"))


class Clock(NamedTuple):
    """A time of day and its zone, None where none was written."""

    hour: int
    minute: int
    second: int
    zone: tzinfo | None

    def on(self, day: datetime) -> datetime:
        """The moment on a day; 24:00 is the next day's beginning."""
        moment = day.replace(hour=self.hour % 24, minute=self.minute, second=self.second, tzinfo=self.zone or UTC)
        return moment + timedelta(days=1) if self.hour == 24 else moment


def read_clock(day: datetime, behind: str, before: str, language: str | None, *, iso: bool) -> Clock | None:
    """The time beside a date: behind it or, close to it, before it. `iso`: the date is written as ISO 8601 has it."""
    beside = _beside(behind, before)
    return None if beside is None else _read(day, *beside, main_language(language), iso=iso)


def has_unread_clock(day: datetime, behind: str, before: str, language: str | None, *, iso: bool) -> bool:
    """Whether a time stands beside a date, but cannot be read, such as 25:00."""
    return _beside(behind, before) is not None and read_clock(day, behind, before, language, iso=iso) is None


def _beside(behind: str, before: str) -> tuple[re.Match[str], str, str] | None:
    """The digits of the time beside a date, what stands between the two, and what follows."""
    found = _first(behind[:BEHIND])
    if found is not None:
        gap = behind[: found.start()]
        return (found, gap, behind[found.end() :]) if _is_gap(gap) else None
    found = _last(before[-BEHIND:])
    if found is not None and not re.search(r"\d", (behind_it := before[-BEHIND:][found.end() :]).replace("+", "")):
        return found, before[-BEHIND:][: found.start()][-GAP:], behind_it
    return None


def read_zone(text: str, day: datetime, language: str | None, *, dashed: bool = True) -> tuple[bool, tzinfo | None]:
    """The zone at the beginning of a text, and whether the text can be relied on. `dashed`: a dash begins an offset, not a range."""
    if match := _OFFSET.match(text):
        if match[2] == "-" and not dashed and not match[1] and not (match[4] and ":" not in match[0]):
            return True, None
        size = timedelta(hours=int(match[3]), minutes=int(match[4] or 0))
        return size <= LARGEST_OFFSET, timezone(-size if match[2] == "-" else size) if size <= LARGEST_OFFSET else None
    if match := _PLACE.match(text):
        return _place(match[1])
    if match := _LONG_NAME.match(text):
        kind = {"D": "DT", "S": "ST"}.get((match[2] or " ")[0].upper())
        return (True, timezone(_NAMED[match[1][0].upper() + kind])) if kind else _place(_PLACES[match[1].upper()])
    if match := _IN_WORDS.match(text):
        name = (match["behind"] or match["cjk"] or match["before"]).lower()
        return _place(_SPOKEN[name]) if name in _SPOKEN else (not _LOCAL.isdisjoint(name.split()), None)
    if match := _NAME.match(text):
        return _named(match[1].upper(), day, language)
    return True, None


def _named(name: str, day: datetime, language: str | None) -> tuple[bool, tzinfo | None]:
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


def _first(text: str) -> re.Match[str] | None:
    return min((match for form in _FORMS if (match := form.search(text))), key=lambda match: (match.start(), -match.end()), default=None)


def _last(text: str) -> re.Match[str] | None:
    return max((match for form in _FORMS[:3] for match in form.finditer(text)), key=lambda match: match.end(), default=None)


def _is_gap(text: str) -> bool:
    return len(text) <= GAP and not any(map(str.isdigit, text))


def _read(day: datetime, found: re.Match[str], gap: str, rest: str, language: str | None, *, iso: bool) -> Clock | None:
    parts = [30 if part in {"半", "반"} else int(part) if part else 0 for part in found.groups() if part is not None]
    hour, minute, second = [*parts, 0, 0, 0][:3]
    if _TAKES.match(rest) or _LENGTH.search(gap):
        return None
    end = _RANGE_END.match(rest)
    period, rest = _period(gap, rest[end.end() :] if end else rest, language)
    if end and hour % 12 > int(end[1]) % 12:  # 11:30-1:00 pm
        period = Period.AM if period is Period.PM else Period.PM
    hour_read = (hour if hour <= 24 else None) if period is None else hour_of_day(hour, period)
    if hour_read is None or minute > 59 or second > 60 or (hour_read == 24 and (minute or second)):
        return None
    spelled = _HOUR_WORD.match(rest)
    certain, zone = read_zone(rest[spelled.end() :] if spelled else rest, day, language, dashed=iso or bool(second))
    return Clock(hour_read, minute, min(second, 59), zone) if certain else None  # 60: a leap second


def _period(gap: str, rest: str, language: str | None) -> tuple[Period | None, str]:
    """The part of the day that is written before or behind the time, and what follows."""
    if rest[:1] in _ATTACHED and not rest[1:2].isalnum() and rest[1:2] != ".":
        return _ATTACHED[rest[0]], rest[1:]
    spaced = re.sub(r"([ap])\.?\s?m\b\.?", r"\1m ", rest[:8], count=1, flags=re.IGNORECASE) + rest[8:]
    spelled = _HOUR_WORD.match(spaced)
    found = _word_beside(gap, spaced, language) or (spelled and _word_beside(gap, spaced[spelled.end() :], language))
    return found or (None, rest)


def _word_beside(gap: str, rest: str, language: str | None) -> tuple[Period, str] | None:
    """A word for a part of the day at the beginning of what follows a time, or at the end of what stands before it."""
    behind = rest.lower().lstrip(" ,(")
    before = gap.lower().rstrip(" :,\u00a0")
    for name, period in words_of(language).periods.items():
        if behind.startswith(name) and not _goes_on(name, behind[len(name) : len(name) + 1]) and (name, language) != ("am", "de"):
            return period, rest.lstrip(" ,(")[len(name) :]
        if before.endswith(name) and not _goes_on(name, before[: -len(name)][-1:]):
            return period, rest
    return None


def _goes_on(name: str, beside: str) -> bool:
    """Whether a letter beside a word makes it another word. Chinese, Japanese and Korean are written without spaces."""
    return beside.isalpha() and not "\u3000" <= name[0] <= "\ud7af"
