"""Constructed texts: originals, copies with few and with many edits, and texts that only share a template or their boilerplate."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass

WORDS = (200, 300)
BOILERPLATE = 160  # words that the texts of one site share; their own facts have 80


@dataclass(frozen=True)
class Made:
    """A text, what kind of text it is, and its true similarity to the text that it is made from; 0 without one."""

    text: str
    kind: str
    similarity: float = 0.0


def make_texts(count: int, similarity: Callable[[str, str], float]) -> list[Made]:
    """So many texts: of 20, nine are originals, seven copies of them, four share a template or boilerplate."""
    chance = random.Random(5)
    vocabulary = ["".join(chance.choices("etaoinshrdlucmfwyp", k=chance.randint(2, 11))) for _ in range(20_000)]
    originals = [chance.choices(vocabulary, k=chance.randint(*WORDS)) for _ in range(count * 9 // 20)]
    made = [Made(" ".join(one), "original") for one in originals]
    for number in range(count * 7 // 20):
        source = originals[number % len(originals)]
        kind, edits = _edits(number, chance)
        copy = _edited(source, int(len(source) * edits), vocabulary, chance)
        made.append(Made(copy, kind, similarity(" ".join(source), copy)))
    made += _templated(count * 2 // 20, vocabulary, chance)
    made += _boilerplate(count - len(made), vocabulary, chance)
    return made


def _edits(number: int, chance: random.Random) -> tuple[str, float]:
    """The kind of a copy and the share of its words that are edited. Of seven copies two have no edits, three few, two many."""
    place = number % 7
    if place < 2:
        return "unedited", 0.0
    return ("edited", chance.uniform(0.002, 0.06)) if place < 5 else ("heavily edited", chance.uniform(0.1, 0.4))


def _edited(source: list[str], edits: int, vocabulary: list[str], chance: random.Random) -> str:
    words = list(source)
    for _ in range(edits):
        place = chance.randrange(len(words))
        change = chance.random()
        if change < 0.5:
            words[place] = chance.choice(vocabulary)
        elif change < 0.75:
            words.insert(place, chance.choice(vocabulary))
        else:
            del words[place]
    return " ".join(words)


def _templated(count: int, vocabulary: list[str], chance: random.Random) -> Iterator[Made]:
    """Short reports of one template, such as of the weather, in which every fourth word is a value."""
    template = chance.choices(vocabulary, k=60)
    for _ in range(count):
        yield Made(" ".join(chance.choice(vocabulary) if place % 4 == 3 else word for place, word in enumerate(template)), "templated")


def _boilerplate(count: int, vocabulary: list[str], chance: random.Random) -> Iterator[Made]:
    """Texts of one site, two thirds of which are its boilerplate."""
    shared = chance.choices(vocabulary, k=BOILERPLATE)
    for _ in range(count):
        yield Made(" ".join([*chance.choices(vocabulary, k=80), *shared]), "boilerplate")
