"""The names of a page's site, and titles without them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from urllib.parse import urlsplit

from processing.article.metadata.titles.letters import letters_of, spellings
from processing.article.metadata.titles.placeholders import SECTIONS
from processing.article.tree.scripts import IDEOGRAPHS

_ARCHIVED = re.compile(r"/(https?://.+)")  # an archive's URL of a page ends with the page's own URL
# What separates the site's name from the title; a hyphen or a colon only with space around it.
# A low line parts titles in Chinese, Japanese and Korean, or with space around it; elsewhere it is part of a name.
_SIGNS = r"\-‐‑‒–—―−•·∙‧・:›>~⋆★☆✦♦●◆▪■▸▷→←‹</\\*"  # with space around them
_BARS = r"\s*[|¦‖｜︱│❘∣⎮]\s*|\s+::\s+|\s+_+\s+|(?<=[\u3000-\u9fff\uac00-\ud7af\uff00-\uffef])_+|(?<!_)_+(?=[\u3000-\u9fff\uac00-\ud7af])"
_SEPARATOR = re.compile(rf"\s+[|«»{_SIGNS}]+\s+|{_BARS}|\s*»\s*")
_SEPARATOR_BESIDE_QUOTES = re.compile(rf"\s+[|{_SIGNS}]+\s+|{_BARS}")  # where « and » are quotation marks
SEPARATING = re.compile(f"[|¦‖｜︱│❘∣⎮：_«»{_SIGNS}]")  # every separator has one of these
SITE_SHARE = 0.6  # of the site's name: so much of it, alone at the title's end, stands for the name
NAME_SHARE = 0.4  # of a part's letters: a part in which the site's name is less is a sentence about the site
_BAR_SIGNS = frozenset(("|", "¦", "‖", "｜", "︱", "│", "❘", "∣", "⎮", "•", "·", "»", "<", ""))
_DATE_BEFORE = re.compile(r"^(?:\d{1,2}[./]\d{1,2}[./](?:19|20)\d\d|(?:19|20)\d\d-\d\d-\d\d)\s*[-–—:|]\s+(?=\S)")
# A site's name behind a hyphen without spaces, as Chinese sites write it.
_SITE_BEHIND_HYPHEN = re.compile(r"(?<=[\u3000-\u9fff\uff00-\uffef])-[\u4e00-\u9fff]{2,8}$")
_CLOSING = {")": "(", "]": "["}
_COUNTED = re.compile(  # a page of several, or a name, whose words have capitals: `by chance` is the title's own
    r"[Bb]y(?:\s[^\W\da-z_][\w.'’-]{0,20}){2,4}|(?i:page|seite|página|pagina|strona|sida|side)\s\d{1,3}"
)
_WORD = re.compile(r"\w+")
MIN_TITLE_WORDS = 4  # before a section of one word
MIN_PLACE = 4  # letters of a word that a host's label ends with
MAX_SHORT = 5  # letters of an abbreviation before it
MAX_SITE_NAME_CHARACTERS = 200
MAX_NAME_WORDS = 8  # of a site's name
MAX_INITIALS = 3
MAX_SMALL_WORD = 3  # letters, such as `of`, `und`, `de la`: a host may leave them out
MIN_LONG_LABEL = 6  # letters of a host's label: chance does not make it of the beginnings of words


def is_home(url: str) -> bool:
    """Whether a URL is that of a home page; of an archived page, its own URL."""
    archived = _ARCHIVED.search(url, 8)
    try:
        parts = urlsplit(archived[1] if archived else url.strip())
    except ValueError:
        return False
    return parts.path in {"/", ""} and not parts.query and bool(parts.path or parts.netloc)


def site_names(site_name: str | None, url: str, others: Iterable[str] = ()) -> frozenset[str]:
    """The site's possible names, letters only: its declared name, `others`, and the parts of its host."""
    archived = _ARCHIVED.search(url, 8)
    host = (urlsplit(archived[1] if archived else url).hostname or "").removeprefix("www.")
    labels = host.split(".")
    names = {host, ".".join(labels[-2:]), labels[-2] if len(labels) > 1 else host, labels[0], *others}
    if site_name := (site_name or "")[:MAX_SITE_NAME_CHARACTERS]:
        names.add(site_name)
        names.update(_SEPARATOR.split(site_name))
    return frozenset(bare for name in names if len(bare := letters_of(name)) > 2)


def is_site(text: str, site: frozenset[str]) -> bool:
    """Whether a text is only the site's name."""
    letters = letters_of(text)
    return not letters or any(spelled in site or spelled.removeprefix("the") in site for spelled in spellings(letters))


def without_site(title: str, site: frozenset[str], *, leading: bool = False) -> str:
    """The title without a date before it and the site's name at either end; without any last part that looks like one behind a bar.

    `leading`: the site's name goes before a colon, too. Home pages begin their titles with it.
    """
    if title[:1].isdigit():
        title = _DATE_BEFORE.sub("", title, count=1)
    if not title.isascii():
        title = _SITE_BEHIND_HYPHEN.sub("", title)
    title = _without_site_alone(title, site, leading=leading)
    if not SEPARATING.search(title):
        return title.strip()
    separator = separator_in(title)
    parts, separators = separator.split(title), separator.findall(title)
    _cut_tagline(parts, separators, site)
    had_site = False
    while len(parts) > 1:
        if had_site and len(parts) == 2 and _is_section(parts[-1], parts[0]):
            del parts[-1], separators[-1]
        elif _names_site(parts[-1], site) or (_is_bar(separators[-1]) and _words(parts[-1]) <= 4 and _words(parts[0]) >= 3):
            had_site = not _is_bar(separators[-1])
            del parts[-1], separators[-1]
        elif _names_site(parts[0], site, first=True):
            del parts[0], separators[0]
        else:
            break
    if separators and len(parts) > 1 and _COUNTED.fullmatch(parts[-1]):
        del parts[-1], separators[-1]
    return "".join(part + separator for part, separator in zip(parts, [*separators, ""], strict=True)).strip()


def _is_section(part: str, title: str) -> bool:
    """Whether a part between a title and the site's name is a section of the site, such as `Politics`."""
    return part.isalpha() and part[:1].isupper() and _words(title) >= MIN_TITLE_WORDS


def _without_site_alone(title: str, site: frozenset[str], *, leading: bool) -> str:
    """The title without exactly the site's name behind or before a sign that also stands within titles, such as a colon or a comma."""
    for sign in ("_", ": ", "：", ", ", " @ "):
        beginning, line, end = title.rpartition(sign)
        if sign == ", " and " " not in end.strip() and "." not in end:  # a place: hosts are named after places
            continue
        if line and beginning.strip(" :,") == beginning != "" and is_site(end, site):
            return beginning
    if title[-1:] in _CLOSING and is_site(title[(opening := title.rfind(_CLOSING[title[-1]])) + 1 : -1], site) and opening > 0:
        return title[:opening].rstrip()
    beginning, line, end = title.partition(": ")
    return end if leading and line and end.strip() and is_site(beginning, site) else title


def _cut_tagline(parts: list[str], separators: list[str], site: frozenset[str]) -> None:
    """Cut the site's name with what stands behind it, as in `Title - Site - What the site is about`."""
    for place in range(1, len(parts) - 1):
        if sum(map(_words, parts[:place])) >= 3 and letters_of(parts[place]) not in SECTIONS and is_site(parts[place], site):
            del parts[place:], separators[place - 1 :]
            return


def separator_in(title: str) -> re.Pattern[str]:
    """The pattern of what separates the parts of a title."""
    return _SEPARATOR_BESIDE_QUOTES if "«" in title and "»" in title else _SEPARATOR


def _is_bar(separator: str) -> bool:
    return separator.strip(" _\u3000") in _BAR_SIGNS and bool(separator.strip())


def _words(text: str) -> float:
    """The number of words; of scripts without spaces, two characters count as one."""
    ideographs = len(IDEOGRAPHS.findall(text))
    return ideographs / 2 if ideographs else len(text.split())


def _names_site(part: str, site: frozenset[str], *, first: bool = False) -> bool:
    """Whether a part names the site or a section. A part of the site's name counts only at the end: titles begin with such words too."""
    letters = letters_of(part)
    if not letters or letters in SECTIONS or is_site(part, site):
        return True
    if len(part.split()) > 6:
        return False
    spelled = spellings(letters)
    if any(len(name) > 3 and name in own and len(name) >= NAME_SHARE * len(own) for name in site for own in spelled):
        return True
    return any(not first and _is_much_of(own, site) for own in spelled) or any(
        _abbreviates(name, part) for name in site if not first or len(name) >= MIN_LONG_LABEL
    )


def _is_much_of(letters: str, site: frozenset[str]) -> bool:
    return any(letters in name and len(letters) >= SITE_SHARE * len(name) for name in site if len(name) > 3)


def _abbreviates(name: str, part: str) -> bool:
    """Whether a site's name is made of the beginnings of a part's words, as `mvkleinstadt` is of `Musikverein Kleinstadt e.V.`"""
    words = _WORD.findall(part.casefold())[:MAX_NAME_WORDS]
    if len(words) < 2 or len(name) > len(part) or name[0] not in {word[0] for word in words}:
        return False
    if len(name) <= MAX_INITIALS:  # chance makes so short a label of the beginnings of words
        return name == _initials(part)
    if len(name) >= MIN_LONG_LABEL and not _is_name(part):
        return False
    if len(name) >= MIN_LONG_LABEL and any(_abbreviates_before(name, word, part) for word in words[1:]):
        return True
    reached = {(0, 0)}  # so many letters of the name, from so many words
    for word in words:
        optional = len(word) <= MAX_SMALL_WORD or len(name) >= MIN_LONG_LABEL
        own = {(at + size, used + 1) for at, used in reached for spelled in spellings(word) for size in _common(name, at, spelled)}
        reached = (reached | own) if optional else own
    return any(at == len(name) and used >= max(2, len(words) - 2) for at, used in reached)


def _initials(part: str) -> str:
    """The first letters of a part's words, if they have capitals: without small words and `e.V.`; empty if others have no capitals."""
    words = [word for word in part.removesuffix(" e.V.").split() if not (word.islower() and len(word) <= MAX_SMALL_WORD)]
    initials = [word[0] for name in words for word in _WORD.findall(name)]
    return "" if any(map(str.islower, initials)) else "".join(initials).casefold()


def _abbreviates_before(name: str, word: str, part: str) -> bool:
    """Whether a name is a word of the part, and before it the first letters of what is before the word, as in `mv-kleinstadt`."""
    for spelled in spellings(word):
        short = name.removesuffix(spelled)
        if len(spelled) >= MIN_PLACE and 1 < len(short) <= MAX_SHORT and short != name:
            letters = iter(letters_of(part.casefold().partition(word)[0]))
            return next(letters, "") == short[0] and all(letter in letters for letter in short[1:])
    return False


def _is_name(text: str) -> bool:
    """Whether all longer words have capitals, as names have. A sentence that ends with the place, as `mv-kleinstadt` does, has others."""
    return ":" not in text and not any(word.islower() and len(word) > MAX_SMALL_WORD for word in _WORD.findall(text))


def _common(name: str, at: int, word: str) -> range:
    """How many letters of a word's beginning stand in a name at a place: all numbers from 1 on."""
    size = 0
    while size < len(word) and at + size < len(name) and name[at + size] == word[size]:
        size += 1
    return range(1, size + 1)
