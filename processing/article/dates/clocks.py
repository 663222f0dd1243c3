"""Read the time of day and its zone beside a date. What cannot be read for certain is no time."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, tzinfo
from typing import NamedTuple

from processing.article.dates.day_periods import Period, hour_of_day
from processing.article.dates.months import main_language, words_of
from processing.article.dates.zones import read_zone, zone_apart

BEHIND = 60  # characters behind a date in which its time stands
GAP = 28  # characters between the two
# Words before an hour that stands without its minutes, and parts of the day behind one.
_AT = r"(?:(?<=\bkl )|(?<=\bkl\. )|(?<=\bklo )|(?<=\bore )|(?<=\bgodz\. )|(?<=\bkello )|(?<=\bklokken )|(?<=\bklockan ))"
_OF_DAY = r"""(?:di\ssera|di\smattina|del\smattino|d[ie]l?\spomeriggio|de\sla\s(?:noche|tarde|mañana|madrugada)
|da\s(?:noite|tarde|manhã|madrugada)
|in\sthe\s(?:morning|afternoon|evening)|at\snight|abends|morgens|nachts|vormittags|nachmittags|mittags|del\smediodía|wieczorem|rano|вечера|утра|вечора|ранку
|du\s(?:soir|matin)|de\sl['’]après|['’]s\s(?:avonds|ochtends|middags|morgens))"""
_FORMS = (
    re.compile(r"(?<![\d:.])(\d{1,2})[:：](\d{2})(?:[:：](\d{2})(?:[.,]\d+)?)?(?![\d:])"),
    re.compile(r"(?<![\d:.,])(\d{1,2})\s?(?:h|u|Uhr|heures?)\s?(\d{1,2})(?:\s?(?:m|min)\b\.?)?(?!\d|\.\d)()", re.IGNORECASE),
    re.compile(r"(?<![\d:.,])(\d{1,2})\s?[点點时時시]\s?(?:(\d{1,2}|[半반])\s?[分분]?)?(?:\s?(\d{1,2})\s?[秒초])?"),
    re.compile(
        r"(?<![\d:.,])(\d{1,2})\.(\d{2})(?:\.(\d{2}))?(?![.\d])"
        r"(?=\s?(?:Uhr|uur|hodin|horas|hrs|ч\.|น\.|WIB|WITA|WIT|[ap]\.?m|at night|in the|$|\s?\(?[A-Z]{3,4}\b))",
        re.IGNORECASE,
    ),
    re.compile(rf"{_AT}(\d{{1,2}})(?:\.(\d{{2}}))?()(?![.:\d])", re.IGNORECASE),
    re.compile(
        rf"""(?<![\d:.,])(\d{{1,2}})()()\s?(?=[ap]\.?\s?m\b|Uhr\b|uur\b|h\b|heures?\b|noon\b|midnight\b|o.clock\b|hodin\b|giờ\b|часов\b
        |{_OF_DAY})""",
        re.IGNORECASE | re.VERBOSE,
    ),
    re.compile(  # zones in capitals: `2030 ist` and `2023 est` are years with a verb
        r"(?<![\d:.,])([01]\d|2[0-3])([0-5]\d)()\s?(?=(?:hrs|hours|(?-i:GMT|UTC|[ECMP][SD]T|CES?T|BST|IST|SGT|HKT|JST))\b)", re.IGNORECASE
    ),
    re.compile(r"^T(\d{2})(\d{2})?(\d{2})?(?=Z|[+-]|$)"),
)
# Noon in one word, without its hour.
_NOON = re.compile(
    r"""[\s,|·–-]{0,4}(?:(?:at|à|al|a|ao|w|v|в)\s)?
    (?:[Nn]oon|[Mm]idday|[Mm]idi|[Mm]ediodía|[Mm]ezzogiorno|[Mm]eio-dia|południe|полдень|poledne|正午|정오)
    (?=$|[.,;|)·(]|\s(?:$|[(|·,]|[A-Z]{2,4}\b))""",
    re.VERBOSE,
)
_NOON_BEFORE = re.compile(
    r"(?:^|\b(?:at|à|al|a|ao)\s)(?:noon|midday|midi|mediodía|mezzogiorno|meio-dia)(?:,\s|\s(?:on|le|del|di)\s)(?:[^\W\d_]+,\s)?$",
    re.IGNORECASE,
)
_HOUR_WORD = re.compile(
    r"\s*(?:Uhr|uur|hrs?\b\.?|hours\b|horas\b|h\b|heures?\b(?!\s(?:de\s(?!l['’]après)|fran|local))|o.clock\b|hodin\b|giờ\b|часов\b|น\.|ч\.)[,.]?",
    re.IGNORECASE,
)
_HOURS_ONLY = re.compile(r"\d{1,2}\s?h\s?(?:(?P<minutes>\d{1,2}\s?m)|(?!\s?\d)(?![^\W_]))", re.IGNORECASE)
_AT_HOUR = re.compile(r"(?:\b(?:at|à|a\slas?|às|as|um|ab|gegen|kl\.?|ore|alle|vers|dès|om|o|w|v|в|lúc)|@)\s*$", re.IGNORECASE)
_WITHOUT_H = frozenset((None, "en", "de"))  # languages in which a bare `h` is no sign of a clock
# How long something takes is no time of day. An end behind the time is of a range: its half of the day is that of the beginning, too.
_TAKES = re.compile(
    r"""\s?(?:(?:h|hours?|hrs|horas?|heures?|uur|hodin|часов|giờ)\s)?(?:min|sec|std|stunden|hours?|length|long\b|ago|geleden|назад|trước
    |(?:de\s|di\s|of\s)?(?:read|lectura|lecture|leitura|lettura|lese|video|vidéo|audio|listen))""",
    re.IGNORECASE | re.VERBOSE,
)
_IN_HOURS = re.compile(r"\s?(?:hours|hrs|horas)\b(?!\s(?:ago|long|read|of))", re.IGNORECASE)  # behind a time of four digits: `2130 hours`
_LENGTH = re.compile(
    r"""(?:length|duration|dauer|länge|laufzeit|durée|duración|duração|durata|runtime|playtime|lesezeit
    |\b(?:il\sy\sa|hace|há|vor|för|for|ago|назад))\W*$""",
    re.IGNORECASE | re.VERBOSE,
)
# Between the date of publishing and the time of a change: `7 March 2025 | Updated 21:30`.
_CHANGED = re.compile(
    r"updat|aktuali[sz]|atuali[sz]|actuali[sz]|mis\sà\sjour|modifi|aggiorn|bijgewerkt|geändert|обновл|更新|수정", re.IGNORECASE
)
_HALF_DAY = re.compile(r"\s?(?:[ap]\.?\s?m\b|Uhr\b|uur\b|o.clock)", re.IGNORECASE)  # says of digits before a date that they are a time
_HALF_DAY_GERMAN = re.compile(r"\s?(?:[ap]\.\s?m\b|pm\b|Uhr\b|o.clock)", re.IGNORECASE)  # `Platz 3 am 7. März`: am is a preposition
_RANGE_END = re.compile(r"\s*[-–—]\s*(\d{1,2})(?:[:.]\d{2})?(?=\s?[ap]\.?\s?m\b)", re.IGNORECASE)
# Signs for a part of the day. In a word that is not known, twelve hours are not certain.
_PART_SIGNS = re.compile(r"[早晨午晚夜][\u4e00-\u9fff]?\s?$")
_ATTACHED = {"a": Period.AM, "p": Period.PM}  # 9:30p


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


class _Beside(NamedTuple):
    """The digits of a time, what stands before them, and what follows. `is_before`: the time stands before the date."""

    digits: re.Match[str]
    gap: str
    rest: str
    is_before: bool


def read_clock(behind: str, before: str, language: str | None, *, iso: bool) -> Clock | None:
    """The time beside a date: behind it or, close to it, before it. `iso`: the date is written as ISO 8601 has it."""
    language = main_language(language)
    beside = _beside(behind, before, language)
    if beside is None:
        return _noon(behind, before, language)
    clock = _read(beside, language, iso=iso)
    if clock is not None and clock.zone is None and beside.is_before:
        return clock._replace(zone=zone_apart(behind, language))
    return clock


def has_unread_clock(behind: str, before: str, language: str | None, *, iso: bool) -> bool:
    """Whether a time stands beside a date, but cannot be read, such as 25:00."""
    return _beside(behind, before, main_language(language)) is not None and read_clock(behind, before, language, iso=iso) is None


def _noon(behind: str, before: str, language: str | None) -> Clock | None:
    """The time of a date at noon."""
    if match := _NOON.match(behind):
        certain, zone = read_zone(behind[match.end() :], language)
        return Clock(12, 0, 0, zone) if certain else None
    return Clock(12, 0, 0, None) if _NOON_BEFORE.search(before) else None


def _beside(behind: str, before: str, language: str | None) -> _Beside | None:
    """The digits of the time beside a date, and the text around them."""
    found = _first(behind[:BEHIND])
    if found is not None:
        gap = behind[: found.start()]
        return _Beside(found, gap, behind[found.end() :], is_before=False) if _is_gap(gap) else None
    found = _last(before[-BEHIND:], language)
    if found is not None and not re.search(r"\d", (rest := before[-BEHIND:][found.end() :]).replace("+", "")):
        return _Beside(found, before[-BEHIND:][: found.start()][-GAP:], rest, is_before=True)
    return None


def _first(text: str) -> re.Match[str] | None:
    return min((match for form in _FORMS if (match := form.search(text))), key=lambda match: (match.start(), -match.end()), default=None)


def _last(text: str, language: str | None) -> re.Match[str] | None:
    found = [match for form in _FORMS[:3] for match in form.finditer(text)]
    half_day = _HALF_DAY_GERMAN if language == "de" else _HALF_DAY
    found += [match for form in _FORMS[3:6] for match in form.finditer(text) if half_day.match(text, match.end())]
    return max(found, key=lambda match: match.end(), default=None)


def _is_gap(text: str) -> bool:
    return len(text) <= GAP and not any(map(str.isdigit, text)) and not _CHANGED.search(text)


def _read(beside: _Beside, language: str | None, *, iso: bool) -> Clock | None:
    found, gap, rest, _ = beside
    parts = [30 if part in {"半", "반"} else int(part) if part else 0 for part in found.groups() if part is not None]
    hour, minute, second = [*parts, 0, 0, 0][:3]
    if _is_length(found[0], gap, rest, language):
        return None
    if _LENGTH.search(gap) or (_TAKES.match(rest) and not (found[0][:2].isdecimal() and _IN_HOURS.match(rest))):
        return None
    end = _RANGE_END.match(rest)
    period, rest = _period(gap, rest[end.end() :] if end else rest, language)
    if end and hour % 12 > int(end[1]) % 12:  # 11:30-1:00 pm
        period = Period.AM if period is Period.PM else Period.PM
    hour_read = _hour(hour, period, gap)
    if hour_read == 24 and found[0].strip() == "24" and rest.lstrip()[:1] in {"h", "H"}:  # `24 h` is a length, or a name
        return None
    if hour_read is None or minute > 59 or second > 60 or (hour_read == 24 and (minute or second)):
        return None
    spelled = _HOUR_WORD.match(rest)
    certain, zone = read_zone(rest[spelled.end() :] if spelled else rest, language, dashed=iso or bool(second))
    return Clock(hour_read, minute, min(second, 59), zone) if certain else None  # 60: a leap second


def _is_length(written: str, gap: str, rest: str, language: str | None) -> bool:
    """Whether hours with a bare `h`, or with minutes behind them, are how long something takes.

    No clock in English or German says `5h` or `2h 30m`. In other languages `15h30min` is one, and `2h30min` is not certain.
    """
    unit = _HOURS_ONLY.match(written + rest[:3])
    if unit is None or _AT_HOUR.search(gap):
        return False
    if unit["minutes"] is not None:
        return language in _WITHOUT_H or not written[:2].isdecimal()
    return language in _WITHOUT_H


def _hour(hour: int, period: Period | None, gap: str) -> int | None:
    if period is not None:
        return hour_of_day(hour, period)
    return None if hour > 24 or (hour <= 12 and _PART_SIGNS.search(gap)) else hour


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
