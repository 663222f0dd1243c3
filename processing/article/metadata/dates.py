"""Read a date and time from text: ISO 8601 and the other forms on web pages, in many languages."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone
from email.utils import parsedate_to_datetime

EARLIEST = datetime(1990, 1, 1, tzinfo=UTC)
_NAMES = """
january janvier januar enero gennaio janeiro januari styczeń stycznia leden ledna január ocak январь января січень січня jan janv ene gen;
february février februar febrero febbraio fevereiro februari luty lutego únor února február şubat февраль февраля лютий лютого feb févr
fév fev;
march mars märz marzo março maart marzec marca březen března marec mart март марта березень березня mar mär mrz;
april avril abril aprile kwiecień kwietnia duben dubna apríl nisan апрель апреля квітень квітня apr avr abr;
may mai mayo maggio maio mei maj maja květen května máj mayıs май мая травень травня;
june juin juni junio giugno junho czerwiec czerwca červen června jún haziran июнь июня червень червня jun;
july juillet juli julio luglio julho lipiec lipca červenec července júl temmuz июль июля липень липня jul juil lug;
august août agosto augustus sierpień sierpnia srpen srpna ağustos август августа серпень серпня aug ago;
september septembre septiembre settembre setembro wrzesień września září szeptember eylül сентябрь сентября вересень вересня sep sept set;
october octobre oktober octubre ottobre outubro październik października říjen října október ekim октябрь октября жовтень жовтня oct okt
ott out;
november novembre noviembre novembro listopad listopada listopadu kasım ноябрь ноября nov;
december décembre dezember diciembre dicembre dezembro desember grudzień grudnia prosinec prosince aralık декабрь декабря грудень грудня
dec dez dic déc des;
"""
MONTHS = {name: number for number, names in enumerate(_NAMES.split(";"), 1) for name in names.split()}

_ISO = re.compile(
    r"(?<!\d)(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})(?!\d)(?:[T\s,]+(\d{1,2}):(\d{2})(?::(\d{2})(?:[.,]\d+)?)?\s*(Z|UTC|GMT|[+-]\d{2}:?\d{2})?)?",
    re.IGNORECASE,
)
_COMPACT = re.compile(r"^(\d{4})(\d{2})(\d{2})(?:T?(\d{2})(\d{2})(\d{2})?)?(Z)?$")
_CJK = re.compile(r"(\d{4})\s*[年년]\s*(\d{1,2})\s*[月월]\s*(\d{1,2})\s*[日일]?")
_DAY_FIRST = re.compile(
    r"(?<!\d)(\d{1,2})(?:st|nd|rd|th|er|\.|º)?\s*(?:de\s+|of\s+)?[-\s]?([^\W\d_]{3,12})\.?,?[-\s]\s*(?:de\s+)?(\d{4})(?!\d)", re.IGNORECASE
)
_MONTH_FIRST = re.compile(r"\b([^\W\d_]{3,12})\.?\s+(\d{1,2})(?:st|nd|rd|th)?\s*,?\s+(\d{4})(?!\d)", re.IGNORECASE)
_YEAR_FIRST = re.compile(r"(?<!\d)(\d{4})\s+([^\W\d_]{3,12})\.?\s+(\d{1,2})(?!\d)")
_NUMERIC = re.compile(r"(?<![\d/.-])(\d{1,2})([/.-])(\d{1,2})\2(\d{4}|\d{2})(?![\d/])")
_CLOCK = re.compile(r"(\d{1,2}):(\d{2})(?::\d{2})?\s*([ap])?\.?m?", re.IGNORECASE)
_ZONE = re.compile(r"(?:Z|UTC|GMT|[+-]\d{2}:?\d{2})$", re.IGNORECASE)
_UNIX = re.compile(r"^\d{10}(?:\d{3})?$")
_PATH = re.compile(r"/((?:19|20)\d{2})[/_-]?(0[1-9]|1[0-2]|[a-z]{3})[/_-]?(0[1-9]|[12]\d|3[01])(?=[/_.+-]|$)", re.IGNORECASE)


def read_date(text: str | None, month_first: bool = True) -> tuple[datetime, str | None] | None:
    """The first date in a text, time-zone aware, and its UTC offset as written (`+02:00`). Without an offset: UTC and None.

    `month_first`: 05/06/2024 is in May. None if the text has no valid date.
    """
    text = (text or "").strip()[:200]
    if not any(map(str.isdigit, text)):
        return None
    try:
        return _iso(text) or _numbers(text) or _words(text) or _numeric(text, month_first) or _mail(text)
    except (ValueError, OverflowError):
        return None


def date_in_url(url: str) -> datetime | None:
    """The day in the path of a URL, such as /2024/05/31/ or /2024-05-31-title; midnight UTC."""
    match = _PATH.search(url.split("?", maxsplit=1)[0])
    if match is None:
        return None
    month = int(match[2]) if match[2].isdigit() else MONTHS.get(match[2].lower())
    try:
        return datetime(int(match[1]), month, int(match[3]), tzinfo=UTC) if month else None
    except ValueError:
        return None


def _iso(text: str) -> tuple[datetime, str | None] | None:
    match = _ISO.search(text)
    if match is None:
        return None
    year, month, day, hour, minute, second, zone = match.groups()
    if int(month) > 12 >= int(day):
        month, day = day, month
    return _moment(int(year), int(month), int(day), (int(hour or 0), int(minute or 0), int(second or 0)), zone)


def _numbers(text: str) -> tuple[datetime, str | None] | None:
    if _UNIX.match(text):
        return datetime.fromtimestamp(int(text[:10]), UTC), "+00:00"
    if match := _COMPACT.match(text):
        clock = (int(match[4] or 0), int(match[5] or 0), int(match[6] or 0))
        return _moment(int(match[1]), int(match[2]), int(match[3]), clock, match[7])
    if match := _CJK.search(text):
        return _moment(int(match[1]), int(match[2]), int(match[3]), _clock(text[match.end() :]), None)
    return None


def _words(text: str) -> tuple[datetime, str | None] | None:
    for pattern, year, month, day in ((_MONTH_FIRST, 3, 1, 2), (_DAY_FIRST, 3, 2, 1), (_YEAR_FIRST, 1, 2, 3)):
        for match in pattern.finditer(text):
            if number := MONTHS.get(match[month].lower()) or MONTHS.get(match[month].lower()[:3]):
                zone = _ZONE.search(text)
                return _moment(int(match[year]), number, int(match[day]), _clock(text[match.end() :]), zone[0] if zone else None)
    return None


def _numeric(text: str, month_first: bool) -> tuple[datetime, str | None] | None:
    match = _NUMERIC.search(text)
    if match is None:
        return None
    first, second, year = int(match[1]), int(match[3]), int(match[4])
    year += 2000 if year < 100 else 0
    if second > 12 or (month_first and match[2] != "." and first <= 12):
        first, second = second, first
    return _moment(year, second, first, _clock(text[match.end() :]), None)


def _mail(text: str) -> tuple[datetime, str | None] | None:
    moment = parsedate_to_datetime(text)
    return (moment, _offset(moment)) if moment.tzinfo else (moment.replace(tzinfo=UTC), None)


def _moment(year: int, month: int, day: int, clock: tuple[int, int, int], zone: str | None) -> tuple[datetime, str | None]:
    if zone is None:
        return datetime(year, month, day, *clock, tzinfo=UTC), None
    offset = timedelta()
    if zone[0] in "+-":
        digits = zone[1:].replace(":", "")
        offset = timedelta(hours=int(digits[:2]), minutes=int(digits[2:])) * (-1 if zone[0] == "-" else 1)
    moment = datetime(year, month, day, *clock, tzinfo=timezone(offset))
    return moment, _offset(moment)


def _offset(moment: datetime) -> str:
    return moment.isoformat()[-6:]


def _clock(text: str) -> tuple[int, int, int]:
    match = _CLOCK.search(text[:30])
    if match is None:
        return 0, 0, 0
    hour, minute = int(match[1]), int(match[2])
    if match[3]:
        hour = hour % 12 + (12 if match[3].lower() == "p" else 0)
    return (hour, minute, 0) if hour < 24 and minute < 60 else (0, 0, 0)
