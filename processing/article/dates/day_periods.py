"""Words for parts of the day beside a time: AM and PM, "in the evening", 下午. With one, a time of twelve hours is one of 24."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING

from schemas.web.date_words import AM_WORDS, PM_WORDS

if TYPE_CHECKING:
    from babel import Locale

LAST_NOON_HOUR = 3  # "at noon" is said of hours up to this one
FIRST_NOON_HOUR = 10
LAST_NIGHT_HOUR = 5  # "at night" says the early morning up to this hour, and the late evening from the next one on


class Period(Enum):
    """A part of the day."""

    AM = "am"
    PM = "pm"
    NOON = "noon"
    EVENING = "evening"
    NIGHT = "night"


# Of the languages of most pages. In brackets stands how CLDR has them; written forms that it lacks are added.
_WORDS = {
    Period.AM: (
        "vorm.|vormittags|morgens|frühmorgens|in the morning|du matin|de la mañana|de la madrugada|di mattina|del mattino|da manhã"
        "|da madrugada"
        "|'s ochtends|’s ochtends|'s morgens|rano|przed południem|ráno|dopoledne|dop.|утра|ранку"
        "|清晨|早间|早間|早上|早晨|凌晨|上午|早|朝|早朝|未明|아침|새벽|오전"
        "|এএম|pagi"
    ),
    Period.PM: (
        "nachm.|nachmittags|in the afternoon|de l'après-midi|de l’après-midi|de la tarde|di pomeriggio|del pomeriggio|da tarde|'s middags"
        "|’s middags|po południu|odpoledne|odp.|дня|下午|午后|午後|오후|পিএম"
    ),
    Period.NOON: "noon|mittags|midi|del mediodía|中午|正午|午间|午間|昼|정오|낮",
    Period.EVENING: (
        "abends|in the evening|du soir|di sera|della sera|'s avonds|’s avonds|wieczorem|večer|вечера|вечора"
        "|晚上|晚间|晚間|夜间|夜間|当晚|當晚|傍晚|夜晚|晚|夕方|저녁"
    ),
    Period.NIGHT: ("midnight|at night|nachts|de la noche|da noite|di notte|'s nachts|’s nachts|w nocy|v noci|ночи|ночі|夜|深夜|夜中|밤"),
}


def periods_of(locale: Locale) -> dict[str, Period]:
    """The words of a language in CLDR, and those of most pages."""
    found: dict[str, Period] = {}
    for names in (names for width, names in locale.day_periods["format"].items() if width != "narrow"):
        for key, name in names.items():
            if period := _period(key, locale):
                found.setdefault(name.lower(), period)
    return _longest_first(COMMON_PERIODS | found)


def _period(key: str, locale: Locale) -> Period | None:
    """The part of the day that a key of CLDR names: `am`, `morning1`, `afternoon2`. The hours of some depend on the language."""
    kind = key.rstrip("12")
    if kind == "midnight":
        return Period.NIGHT
    if kind == "evening" and _holds_noon(locale, key):
        return Period.PM
    return _KINDS.get(kind)


def _holds_noon(locale: Locale, key: str) -> bool:
    rules = locale.day_period_rules.get(None, {}).get(key, [])
    return any(rule.get("from", 24 * 60 * 60) <= 12 * 60 * 60 < rule.get("before", 0) for rule in rules)


def hour_of_day(hour: int, period: Period) -> int | None:
    """The hour of the day for an hour in a part of it. None: no such hour, or one of which the day is not certain."""
    if hour > 12:
        return hour if period is not Period.AM and hour < 24 else None
    match period:
        case Period.AM:
            return hour % 12
        case Period.PM:
            return hour % 12 + 12
        case Period.EVENING:
            return hour + 12 if 0 < hour < 12 else None
        case Period.NOON:
            return hour if hour >= FIRST_NOON_HOUR else hour + 12 if 0 < hour <= LAST_NOON_HOUR else None
        case Period.NIGHT:
            return hour if hour <= LAST_NIGHT_HOUR else hour + 12 if hour < 12 else None


def _longest_first(words: dict[str, Period]) -> dict[str, Period]:
    return dict(sorted(words.items(), key=lambda word: -len(word[0])))


_KINDS = {
    "am": Period.AM,
    "pm": Period.PM,
    "morning": Period.AM,
    "afternoon": Period.PM,
    "noon": Period.NOON,
    "evening": Period.EVENING,
    "night": Period.NIGHT,
}
COMMON_PERIODS = _longest_first(
    dict.fromkeys(AM_WORDS, Period.AM)
    | dict.fromkeys(PM_WORDS, Period.PM)
    | {word: period for period, words in _WORDS.items() for word in words.split("|")}
)
