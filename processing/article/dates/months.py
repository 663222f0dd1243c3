"""The words of dates in a page's own language, as CLDR has them, beside those of all languages."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

from processing.article.dates.day_periods import COMMON_PERIODS, Period, periods_of
from schemas.web.date_words import MONTHS, find_month, month_by_name

# Languages whose words are all here. For others CLDR is loaded, which costs some milliseconds for each.
_COVERED = frozenset(["en", "de", "fr", "es", "it", "pt", "nl", "pl", "cs", "ru", "uk", "zh", "ja", "ko"])
# Names of two words: Irish, and those of Arabic in the Levant and in Iraq.
_TWO_WORDS = re.compile(r"meán\s+fómhair|deireadh\s+fómhair|[md]\.?\s?fómh\b|(?:كانون|تشرين)\s+(?:الثاني|الأول)", re.IGNORECASE)
_MONTHS_OF_TWO_WORDS = {
    "meánfómhair": "September", "deireadhfómhair": "October", "mfómh": "September", "dfómh": "October",
    "كانونالثاني": "January", "تشرينالأول": "October", "تشرينالثاني": "November", "كانونالأول": "December",
}  # fmt: skip


class Words(NamedTuple):
    """A language's words: months by name, and the words for parts of the day, the longest first; all lower case."""

    months: dict[str, int]
    periods: dict[str, Period]


def words_of(language: str | None) -> Words:
    """The words for reading dates of a page in a language, a label without region; without one those of most pages."""
    return _cldr(language) if language and language not in _COVERED else _COMMON


def main_language(label: str | None) -> str | None:
    """The language of a label such as `pt-BR`, without its region."""
    return label.replace("_", "-").split("-")[0].lower() if label else None


def joined_months(text: str) -> str:
    """A date with English names instead of the names of months that are two words."""
    return _TWO_WORDS.sub(lambda found: _MONTHS_OF_TWO_WORDS[_letters(found[0])], text)


def _letters(name: str) -> str:
    return re.sub(r"[\s.]", "", name).lower()


def month_number(name: str, language: str | None) -> int | None:
    """The month that a word names: whole, shortened or inflected."""
    return _number(name.lower().rstrip("."), main_language(language))


@lru_cache(maxsize=4096)
def _number(name: str, language: str | None) -> int | None:
    own = words_of(language).months if language and language not in _COVERED else {}
    found = own.get(name) or find_month(name, MONTHS) or find_month(name, own) or month_by_name(name)
    if found is None and language == "he" and name.startswith("ב"):  # "in March" is one word
        return _number(name[1:], language)
    return found


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
    return Words(months, periods_of(locale))


_COMMON = Words(MONTHS, COMMON_PERIODS)
