"""Read names of persons from text, without roles, newsrooms, addresses or reading times."""

from __future__ import annotations

import re

from processing.article.dates.months import month_number
from processing.article.metadata.people.labels import BY_PREFIX, PREFIX, SURNAME_PARTICLE, TAIL, without_credits, without_prefix
from processing.article.metadata.people.name_lists import first_names_first, split_names
from processing.article.tree.entities import folded

MAX_NAME_WORDS = 6
MAX_PERSON_WORDS = 9  # of a structured Person's name
_URLISH = re.compile(r"https?:|www\.|@|\.(?:com|org|net|io|co|uk|de|info|php|html?)\b", re.IGNORECASE)
_GENERIC = """
staff admin administrator editor editors editorial team desk newsroom reporter writer contributor contributors correspondent author authors
byline guest anonymous unknown user webmaster article articles content takeaways summary overview introduction
press release media news magazine published updated posted read reading min mins minutes minute views
comments comment share follow subscribe home about contact more profile posts articles view all none null undefined inc llc ltd gmbh company
corporation foundation university institute department agency association full bio login member sign log photo image images getty reuters
"""
_ROLES = """
director head marketing manager senior sr officer founder president professor attorney development analyst specialist producer columnist
executive chief strategist consultant engineer expert ceo cto coo lead assistant
"""
_NOT_NAMES = frozenset((_GENERIC + _ROLES).split())
_ONLY_GENERIC = frozenset(_GENERIC.split()) | {"the", "by", "our", "site", "web", "super", "root", "default", "content"}
_DEGREES = """
md phd ms ma ba bs bsc msc mba mph rn rd rdn ldn np do dds jd esq cpa cfa cfp dvm dr jr sr ii iii prof mr mrs fand cscs cpt pharmd mfa med
edd lcsw aprn
"""
_CREDENTIALS = frozenset(_DEGREES.split())
_DESK = frozenset(["staff", "team", "newsroom", "desk", "editors", "editorial", "admin", "webmaster", "llc", "inc", "ltd", "gmbh"])
_PROSE_WORDS = frozenset(("or", "for", "to", "with", "your", "our", "this", "is", "are", "by"))  # in small letters they are in no name
_IDEOGRAPHIC_NAME = re.compile(r"[\u4e00-\u9fff\uac00-\ud7af]{2,4}")
_BEHIND = re.compile(r"(?<=[\u4e00-\u9fff\uac00-\ud7af])\s*(?:기자|특파원|논설위원|記者|记者)$")  # "reporter" stands behind the name
_BRACKETS = re.compile(r"\s*\([^)]{0,200}\)|\s*\[[^\]]{0,200}\]")
# `50 Cent`, `A-12` and `P!nk` are names, dates and numbers are none.
_NO_PERSON = re.compile(r"\d{4}|\d[:./]\d|[<>{}=?#]|^.$|^\W*!|!\W*$")
_WEEKDAYS = frozenset(
    ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday", "mon", "tue", "wed", "thu", "fri", "sat", "sun"]
)
_WITH_YEAR = re.compile(r"\s*\d{1,2}(?:st|nd|rd|th)?(?:,\s|\s)\s?\d{4}")  # `May 7, 2025`, but `Theresa May 7 min`
_SHORTENED = re.compile(r"\s(?:[^\W\d_]|Jr|Sr)\.$")
_LETTERS = re.compile(r"[^\W\d_]")


def names_in(text: str, whole: bool = True) -> list[str]:
    """The names in a text. Where it is not `whole`, a date, a reading time or a role may follow the names."""
    text = "\n".join(folded(line) for line in re.sub(r"<[^>]*>", " ", text).split("\n")).strip()
    if not text or is_address(text.split()[0]):
        return []
    names = []
    for candidate in split_names(_first_names_first(text) if whole else _without_tail(PREFIX.sub("", without_credits(text)))):
        stripped = _without_signs(candidate)
        written = _BRACKETS.sub("", without_prefix(stripped) if whole else PREFIX.sub("", stripped)).strip()
        part = _BEHIND.sub("", written)
        if _is_name(part, whole) or (part != written and _IDEOGRAPHIC_NAME.fullmatch(part)):
            names.append(part)
        elif names and not _is_credential(part):
            break  # a role or an outlet ends the list
    return names


def _first_names_first(text: str) -> str:
    """A text of names without a leading "by", each with the first name first; `von` may begin a surname, too."""
    turned = first_names_first(text) if SURNAME_PARTICLE.match(text) else text
    return turned if turned != text else first_names_first(without_prefix(text))


def _without_tail(text: str) -> str:
    """A text without what follows the names, such as a date, of which the weekday and the month stand before the first number."""
    tail = TAIL.search(text)
    if tail is None:
        return text
    words = text[: tail.start()].split(" ")
    while _WITH_YEAR.match(tail[0]) and len(words) > 2 and _is_of_date(words[-1].strip(" ,.")):
        words.pop()
    return " ".join(words)


def _is_of_date(word: str) -> bool:
    return not word or month_number(word, None) is not None or word.lower() in _WEEKDAYS


def _without_signs(text: str) -> str:
    """A text without the signs around it. The full stop of an initial, or of `Jr.`, is part of the name."""
    text = text.strip(" :-–—\"'“”*").lstrip(".")
    return text if _SHORTENED.search(text) else text.rstrip(".")


def names_of_person(text: str) -> list[str]:
    """The names in the name of a structured Person: whole, without a leading "By". General words such as "Staff" are no name."""
    text = folded(re.sub(r"<[^>]*>", " ", text))
    text = BY_PREFIX.sub("", text)
    names = []
    for candidate in split_names(first_names_first(text), structured=True):
        part = _BEHIND.sub("", _BRACKETS.sub("", candidate.strip(' :-–—"“”*,')).strip())
        if _is_person(part):
            names.append(part)
    return names


def _is_person(part: str) -> bool:
    words = [re.sub(r"\W", "", word).casefold() for word in part.split()]
    if not 0 < len(words) <= MAX_PERSON_WORDS or not _LETTERS.search(part) or _is_credential(part) or is_address(part):
        return False
    if all(word in _NOT_NAMES or word in _ONLY_GENERIC for word in words if word) or not _DESK.isdisjoint(words):
        return False
    return not _NO_PERSON.search(part) and not is_day(part)


def _is_credential(part: str) -> bool:
    return all(re.sub(r"\W", "", word).casefold() in _CREDENTIALS for word in part.split())


def _is_name(part: str, whole: bool) -> bool:
    words = part.split()
    if not words or len(words) > MAX_NAME_WORDS or _is_credential(part) or not _LETTERS.search(part):
        return False
    if is_address(part) or any(re.sub(r"\W", "", word).casefold() in _NOT_NAMES for word in words):
        return False
    if re.search(r"\d{2}|[<>{}=?!#:]", part) or len(part) < 2:
        return False
    if whole:
        return True
    if not _PROSE_WORDS.isdisjoint(words):
        return False
    capital = sum(word[0].isupper() or not word[0].islower() for word in words)
    return len(words) >= 2 and capital * 3 >= len(words) * 2


def ideographic_name(text: str) -> list[str]:
    """A Chinese, Japanese or Korean name, which has no space in it."""
    return [text.strip()] if _IDEOGRAPHIC_NAME.fullmatch(text.strip()) else []


def is_address(text: str) -> bool:
    """Whether a text has an address in it."""
    return _URLISH.search(text) is not None


def is_day(part: str) -> bool:
    """Whether a part is a day of a month, such as `12 March`."""
    words = [word.strip(".,") for word in part.split()]
    numbers = [word for word in words if word.isdecimal()]
    return len(words) == 2 and len(numbers) == 1 and any(month_number(word, None) is not None for word in words)


def is_generic(words: list[str]) -> bool:
    """Whether all words, letters only, are general ones such as "staff" or "admin"."""
    return all(word in _ONLY_GENERIC for word in words if word)


def bare_name(name: str) -> str:
    """The letters and digits of a name in small letters, without "The" or "www" before it."""
    return re.sub(r"[\W_]+", "", name).casefold().removeprefix("the").removeprefix("www")
