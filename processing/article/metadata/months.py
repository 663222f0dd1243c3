"""The words of dates in a page's own language, as CLDR has them, beside those of all languages."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

from schemas.web.date_words import AM_WORDS, MONTHS, PM_WORDS, find_month, month_by_name

# Languages whose words are all here. For others CLDR is loaded, which costs some milliseconds for each.
_COVERED = frozenset(["en", "de", "fr", "es", "it", "pt", "nl", "pl", "cs", "ru", "uk", "zh", "ja", "ko"])


class Words(NamedTuple):
    """A language's words: months by name, and the words for before and after noon; all lower case."""

    months: dict[str, int]
    am: frozenset[str]
    pm: frozenset[str]


def words_of(language: str | None) -> Words:
    """The words for reading dates of a page in a language, a label without region; without one those of most pages."""
    return _cldr(language) if language and language not in _COVERED else _COMMON


def main_language(label: str | None) -> str | None:
    """The language of a label such as `pt-BR`, without its region."""
    return label.replace("_", "-").split("-")[0].lower() if label else None


def month_number(name: str, language: str | None) -> int | None:
    """The month that a word names: whole, shortened or inflected."""
    return _number(name.lower().rstrip("."), main_language(language))


@lru_cache(maxsize=4096)
def _number(name: str, language: str | None) -> int | None:
    own = words_of(language).months if language and language not in _COVERED else {}
    return own.get(name) or find_month(name, MONTHS) or find_month(name, own) or month_by_name(name)


@lru_cache(maxsize=64)
def _cldr(language: str) -> Words:
    """The words of a language in CLDR."""
    from babel import Locale, UnknownLocaleError  # imported and loaded only for the languages that need it

    try:
        locale = Locale.parse(language)
    except (UnknownLocaleError, ValueError):
        return _COMMON
    months: dict[str, int] = {
        name.lower().rstrip("."): number
        for context in locale.months.values()
        for width, names in context.items()
        if width != "narrow"
        for number, name in names.items()
        if name and not name[0].isdigit()
    }
    halves = [periods for context in locale.day_periods.values() for width, periods in context.items() if width != "narrow"]
    am, pm = (frozenset(periods[key].lower() for periods in halves if key in periods) for key in ("am", "pm"))
    return Words(months, AM_WORDS | am, PM_WORDS | pm)


_COMMON = Words(MONTHS, AM_WORDS, PM_WORDS)
