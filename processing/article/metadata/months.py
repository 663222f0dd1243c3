"""Names of months and of the halves of the day, in the languages of web pages and, for a page's own language, as CLDR has them."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

from processing.article.metadata.month_names import MONTHS_ELSEWHERE

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
# Languages whose words are all here. For others CLDR is loaded, which costs some milliseconds for each.
_COVERED = frozenset(["en", "de", "fr", "es", "it", "pt", "nl", "pl", "cs", "ru", "uk", "zh", "ja", "ko"])
SHORTEST_STEM = 5  # letters of a name that more letters may follow: languages inflect the names of months
_MORNING = """
am a.m. 上午 早上 凌晨 清晨 午前 오전 صباحا صباحًا صباحاً ص πμ π.μ. vormittags पूर्वाह्न sáng ก่อนเที่ยง
"""
_EVENING = """
pm p.m. 下午 晚上 傍晚 中午 午後 오후 مساء مساءً مساءا م μμ μ.μ. nachmittags abends अपराह्न chiều tối หลังเที่ยง
"""
_AM, _PM = frozenset(_MORNING.split()), frozenset(_EVENING.split())


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
    tables = [MONTHS, words_of(language).months] if language else [MONTHS]
    for known in tables:
        if found := known.get(name):
            return found
        if len(name) >= 3 and len(numbers := {number for month, number in known.items() if _is_form(name, month)}) == 1:
            return numbers.pop()
    return MONTHS_ELSEWHERE.get(name)


def _is_form(name: str, month: str) -> bool:
    return month.startswith(name) or (len(month) >= SHORTEST_STEM and name.startswith(month))


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
    return Words(months, _AM | am, _PM | pm)


_COMMON = Words(MONTHS, _AM, _PM)
