"""Divide texts that name several persons: by separators, by the conjunctions of many languages, and `Last, First`."""

from __future__ import annotations

import re
import unicodedata

_FIRMS = "Söhne|Sons|Co|Cie|Partners?|Fils|Hijos|Figli|Zonen|Sønner|Söner|Company|Associates|Brothers|Gebrüder|Töchter|Daughters"
_NO_FIRM = rf"(?!\s*(?:{_FIRMS}|zu|zum|zur)\b)"  # `Otto und Söhne` is one name, as is `von und zu Tal`
_SEPARATOR = re.compile(rf"\s*(?:[,،、，;；؛|｜/+\n•]|&{_NO_FIRM}|(?<![\u3040-\u9fff])·|\s[–—-]\s)\s*")
_BETWEEN_PERSONS = re.compile(r"\s*(?:[،、，;；؛|｜\n•]|\s/\s)\s*")
_AMPERSAND = re.compile(rf"\s*&{_NO_FIRM}\s*")
_CONJUNCTION = re.compile(
    rf"\s+(?:and|AND|And|und|UND|Und|et|ET|with|WITH|og|OG|och|OCH|samt|im (?:Gespräch|Interview) mit|in conversation with){_NO_FIRM}\s+"
)
# Short words, which are parts of names in other languages: they divide only where two words stand on each side.
_WEAK_CONJUNCTION = re.compile(
    r"\s+(?:en|y|e|i|a|si|și|şi|oraz|ja|ir|un|és|ve|dan|và|dhe|eta|agus|и|і|й|та|ды|και|ו|و|اور|और|এবং|และ|和|及|と|및|와|과)\s+"
)
_PARTICLES = r"(?:(?:van|von|der|den|de|la|du|del|della|di|da|dos|ten|ter|el|al|bin|ibn|le|zu|af|av|Ó|Ní|Mac|Mc|San|Saint)\s+)*"
_CAPITAL = r"[^\W\d_a-zß-ÿ][^\s,]*"
_FIRST = rf"({_CAPITAL}(?:\s(?:da|de|del|dos|du|van|von|la))?(?:\s{_CAPITAL})?(?:\s(?:da|de|dos|du|van|von))?)"
_LAST_FIRST = re.compile(rf"({_PARTICLES}(?:(?:al|el|ad|an|ar|as)-)?{_CAPITAL}),\s*{_FIRST}")
# The surnames of a father and a mother, of which the first is one that many people have: `García Márquez, Gabriel`.
_TWO_LAST_FIRST = re.compile(rf"({_PARTICLES}({_CAPITAL})\s(?:(?:y|e|de|da|dos|i)\s)?{_CAPITAL}),\s*(?:{_FIRST}|((?:[^\W\d_]\.\s?)+))")
_SURNAMES = """
garcia gonzalez rodriguez fernandez lopez martinez sanchez perez gomez jimenez ruiz hernandez diaz moreno alvarez munoz romero gutierrez
navarro torres dominguez vazquez vasquez ramos ramirez serrano molina morales suarez ortega delgado castro ortiz rubio marin nunez iglesias
medina garrido cortes castillo santos guerrero lozano cano mendez flores vargas herrera aguilar rojas reyes silva souza sousa ferreira
pereira oliveira costa rodrigues martins fernandes goncalves gomes lopes marques alves almeida ribeiro pinto carvalho teixeira barbosa rocha
"""
_COMMON_SURNAMES = frozenset(_SURNAMES.split())
# First names that hardly anybody has as a surname: `Anna, Karl` are two persons.
_FIRST_NAMES = """
anna anne anja andrea annika antonia barbara beate birgit brigitte carla carolina caroline charlotte christina christine claudia cristina
daniela doris elena elisa elisabeth elizabeth emily emma erika eva franziska gabriela gabriele giulia heike helena helga ines ingrid irina
isabel isabella jennifer jessica joanna johanna juliane karin karla katarina katharina katja katrin kathrin kerstin klara kristina laura
lina lisa louise luisa magdalena margarete maria mariana martha melanie monica monika nadine nadja natalia nicole nina olga olivia patricia
petra renate rebecca sandra sarah silke sofia sonja sophie stefanie stephanie susanne svenja tanja tatjana teresa theresa ulrike ursula
valentina valeria vanessa veronika viktoria yvonne björn jürgen uwe giuseppe
анна мария елена ольга наталья татьяна ирина светлана екатерина юлия анастасия дарья дмитрий сергей
"""
# Those that are surnames, too: behind one of the others they are a second person.
_OTHER_FIRST_NAMES = """
ahmed alexander ali andré andreas angela antonio arne axel ben bernd carlos carmen christian clara daniel david dennis diana dieter dirk
ella felix finn florian frank franz fritz georg gerd giovanni günther hanna hannah hannes hans harald heinz helmut henri henrik holger ivan
jan jana jane jakob jens jim joachim joão johannes john jonas jörg josef josé joseph juan julia julian karl katie kate kevin klaus kurt lars
lea leo lena leon luca lucia luca lukas lutz manfred manuel marc marco marcel marie marina mario mark markus marta martin matthias max mia
michael michel mike moritz nadia nick niklas nils oliver otto pablo paolo pascal patrick paul paula pedro peter philipp pierre ralf regina
reinhard rita robert rolf rosa ruth sabine sam sara sebastian silvia simon simone stefan steffen stephan sven thomas tim timo tobias tom
torsten udo ulrich vera veronica volker walter werner wolfgang александр алексей андрей владимир иван михаил николай павел пётр юрий
"""
_FIRST_NAMES_ONLY, _ALSO_SURNAMES = frozenset(_FIRST_NAMES.split()), frozenset(_OTHER_FIRST_NAMES.split())
_BEHIND_NAME = re.compile(r"(?:,\s*(?:ph\.?\s?d|m\.?d|m\.?a|m\.?sc|mba|mph|rn|dvm|esq)\.?)+$", re.IGNORECASE)
_JUNIOR = re.compile(r",?\s((?:jr|sr)\.?|ii|iii|iv)$", re.IGNORECASE)
_JUNIOR_FIRST = re.compile(rf"({_CAPITAL})\s((?:Jr|Sr)\.?|II|III|IV),\s*{_FIRST}")
_LAST_INITIALS = re.compile(
    rf"({_PARTICLES}[^\W\d_a-zß-ÿ][^\s,]*),\s*((?:[^\W\d_a-zß-ÿ]\.[\s-]?)+)(?:[,;]\s*(?:(?:and|und|et|&)\s+)?|\s*(?:and|und|et|&)\s+|$)"
)
_SUFFIX = re.compile(r"(?:jr|sr|ii|iii|iv)\.?", re.IGNORECASE)
_NO_FIRST_NAMES = """
md phd ms ma ba bs bsc msc mba mph rn rd rdn np dds jd esq cpa cfa dvm editor reporter correspondent staff reuters afp dpa ap writer author
contributor columnist freelance news jr sr ii iii iv
"""
_NO_FIRST_NAME = frozenset(_NO_FIRST_NAMES.split())
_LEADING = re.compile(r"^\s*(?:and|und|et|og|och|y|e|en|with)(?:\s+|$)")  # behind a comma: `Ann Lee, Tom Bell, and Bo Li`


def split_names(text: str, *, structured: bool = False) -> list[str]:
    """The names in a text. `structured`: it is the name of one Person, so it is divided only where whole names stand on each side."""
    if structured:
        parts = [part for strong in _BETWEEN_PERSONS.split(text) for part in _split_ampersand(strong)]
        parts = [part for whole in parts for part in _split_guarded(_CONJUNCTION, whole)]
        parts = [part for whole in parts for weak in _split_guarded(_WEAK_CONJUNCTION, whole) for part in _split_commas(weak)]
    else:
        parts = [part for strong in _SEPARATOR.split(text) for part in _CONJUNCTION.split(strong)]
        parts = [part for whole in parts for part in _split_guarded(_WEAK_CONJUNCTION, whole)]
    return [_LEADING.sub("", part) for part in parts]


def first_names_first(text: str) -> str:
    """`Last, First`, as citations write it, becomes `First Last`, also of several persons; other texts stay."""
    if "," not in text:
        return text
    if found := _with_initials(text):
        return "; ".join(f"{match[2].strip()} {match[1]}" for match in found)
    turned = [_turned(part.strip()) for part in re.split(r"[;|\n]|\s(?:and|und|et|&)\s", text)]
    return "; ".join(filter(None, turned)) if all(turned) else text


def _turned(name: str) -> str | None:
    """One person's name with the first name first; None if it is not the other way round."""
    bare = _BEHIND_NAME.sub("", name)
    if pair := _JUNIOR_FIRST.fullmatch(bare):
        return f"{pair[3]} {pair[1]} {pair[2]}"
    junior = _JUNIOR.search(bare)
    bare = bare[: junior.start()] if junior else bare
    end = f" {junior[1]}" if junior else ""
    pair = _LAST_FIRST.fullmatch(bare)
    if pair and _are_first_names([pair[1], pair[2]]):
        return None
    if pair and _is_first_name(pair[2]):
        return f"{pair[2]} {pair[1]}{end}"
    pair = _TWO_LAST_FIRST.fullmatch(bare)
    if pair and _without_accents(pair[2]) in _COMMON_SURNAMES and (pair[4] or _is_first_name(pair[3])):
        return f"{(pair[3] or pair[4]).strip()} {pair[1]}{end}"
    return None


def _are_first_names(names: list[str]) -> bool:
    """Whether single words are all first names, and the first one nobody's surname: `Anna, Karl`, but `Ruth, Anna` and `Anna, Berlin`."""
    words = [name.strip().casefold() for name in names]
    return words[0] in _FIRST_NAMES_ONLY and _FIRST_NAMES_ONLY.union(_ALSO_SURNAMES).issuperset(words)


def _without_accents(word: str) -> str:
    return "".join(sign for sign in unicodedata.normalize("NFD", word.casefold()) if not unicodedata.combining(sign))


def _with_initials(text: str) -> list[re.Match[str]]:
    """The parts of a text that is nothing but last names with initials, such as `Smith, J., Doe, A. B.`; none of another text."""
    found: list[re.Match[str]] = []
    end = 0
    while end < len(text):
        match = _LAST_INITIALS.match(text, end)
        if match is None:
            return []
        found.append(match)
        end = match.end()
    return found


def _is_first_name(text: str) -> bool:
    return not any(re.sub(r"\W", "", word).casefold() in _NO_FIRST_NAME for word in text.split())


def _split_ampersand(text: str) -> list[str]:
    """The parts beside `&`, if whole names begin: `Simon & Garfunkel` is one name, as is the couple `Anna & Karl Berg`."""
    parts = _AMPERSAND.split(text)
    return parts if all(len(part.split()) >= 2 for part in parts[:-1]) else [text]


def _split_guarded(conjunction: re.Pattern[str], text: str) -> list[str]:
    """The parts between conjunctions, if each has two words."""
    parts = conjunction.split(text)
    return parts if all(len(part.split()) >= 2 for part in parts) else [text]


def _split_commas(text: str) -> list[str]:
    """The names between commas, if each has two words; otherwise what is before the first comma: titles and outlets follow it."""
    if text.startswith(","):
        return []  # an outlet without its author
    first, *others = [part for part in text.split(",") if part.strip()] or [""]
    if len(others) >= 3 and len(others) % 2 and all(len(part.split()) == 1 for part in (first, *others)):  # `Lee, Ann, Bell, Tom`
        names = [first, *others]
        return [f"{given.strip()} {last.strip()}" for last, given in zip(names[::2], names[1::2], strict=True)]
    if others and (all(len(part.split()) >= 2 for part in (first, *others)) or _are_first_names([first, *others])):
        return [first, *others]
    return [text] if others and _SUFFIX.fullmatch(others[0].strip()) else [first]
