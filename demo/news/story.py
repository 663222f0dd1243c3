"""A made-up news story with its blocks."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from random import Random

from demo.news.grammar import Bank, Cast, read_bank

SEED = 20260302
KINDS = ("p", "h2", "li", "quote", "row", "code")
_CODE = "def forecast(readings):\n    start = readings[-1]\n    return [round(start + {drift} * hour, 1) for hour in range({hours})]"


@dataclass(frozen=True)
class Block:
    """One block of an article's body. `kind` is one of KINDS. A row's cells are separated by tabs."""

    kind: str
    text: str


@dataclass(frozen=True)
class Story:
    """A story with everything that its page shows. `number` is unique within its site; times are UTC."""

    site: int
    number: int
    language: str
    section: str
    topic: str
    title: str
    standfirst: str
    blocks: tuple[Block, ...]
    authors: tuple[str, ...]
    tags: tuple[str, ...]
    captions: tuple[str, ...]
    published_at: datetime
    modified_at: datetime
    version: int = 1
    corrected: bool = False
    copy_of: tuple[int, int] | None = None
    copy_exact: bool = False

    @property
    def key(self) -> tuple[int, int]:
        """Site and number."""
        return (self.site, self.number)

    @property
    def text(self) -> str:
        """The body's blocks, a line each."""
        return "\n".join(block.text for block in self.blocks)


def cast_of(language: str, topic: str, site: int, number: int, published_at: datetime, use: str = "") -> Cast:
    """A new cast. The same arguments give the same people and words."""
    random = Random(f"{SEED}:{site}:{number}:{language}:{topic}")
    cast = Cast(read_bank(language), topic, random, published_at)
    if use:
        _ = [cast.fill("{" + word + "}") for word in cast.bank["words"]]
        cast.reseed(f"{SEED}:{site}:{number}:{use}")
    return cast


def write_story(site: int, number: int, language: str, section: str, topic: str, published_at: datetime) -> Story:
    """The story of a number. The same arguments give the same story."""
    cast = cast_of(language, topic, site, number, published_at)
    _ = [cast.fill("{" + word + "}") for word in cast.bank["words"]]
    bank, random = cast.bank, cast.random
    plan = bank["topics"][topic]
    title, standfirst = cast.fill(random.choice(plan["title"])), cast.fill(random.choice(plan["standfirst"]))
    blocks = _body(cast, bank, plan, number)
    return Story(
        site=site, number=number, language=language, section=section, topic=topic, title=title, standfirst=standfirst, blocks=blocks,
        authors=tuple(random.sample(bank["authors"], 2 if number % 7 == 3 else 1)), tags=tuple(random.sample(bank["tags"], 3)),
        captions=tuple(cast.fill(line) for line in random.sample(bank["captions"], 2)), published_at=published_at, modified_at=published_at,
    )  # fmt: skip


def _body(cast: Cast, bank: Bank, plan: Bank, number: int) -> tuple[Block, ...]:
    random = cast.random
    details, quotes, pasts = _shuffled(plan["detail"], random), _shuffled(bank["quote"], random), _shuffled(bank["background"], random)
    wanted = random.choice((2, 3, 3, 4, 5, 6, 7))
    sentences = list(_interleave(details[:wanted], quotes[:wanted], pasts[: wanted - 1]))
    sentences += _shuffled(bank["outlook"], random)[: 1 + wanted // 3]
    blocks = [Block("p", _join(cast, _shuffled(plan["lead"], random)[:1] + sentences[:1]))]
    rest = sentences[1:]
    while rest:
        size = random.choice((1, 2, 2, 3))
        size = 2 if len(rest) - size == 1 else size
        blocks.append(Block("p", _join(cast, rest[:size])))
        rest = rest[size:]
    return tuple(_with_extra_blocks(cast, bank, blocks, number))


def _with_extra_blocks(cast: Cast, bank: Bank, blocks: list[Block], number: int) -> list[Block]:
    middle = len(blocks) // 2
    extra: list[Block] = []
    if len(blocks) > 6:
        extra.append(Block("h2", cast.fill(cast.random.choice(bank["subheads"]))))
    if number % 5 == 1:
        extra += [Block("li", cast.fill(line)) for line in cast.random.sample(bank["list"], 4)]
    if number % 11 == 4:
        extra += _table(cast, bank)
    if number % 6 == 2:
        extra.append(Block("quote", cast.fill(bank["letter"])))
    if number % 23 == 7:
        extra.append(Block("code", _CODE.format(drift=cast.random.randint(2, 90) / 100, hours=cast.random.randint(6, 72))))
    return [*blocks[:middle], *extra, *blocks[middle:]]


def _table(cast: Cast, bank: Bank) -> list[Block]:
    rows = [[cast.fill(cell) for cell in bank["table"]["head"]]]
    start = cast.random.randint(2012, 2021)
    rows += [[str(start + n), str(cast.random.randint(100, 990)), str(cast.random.randint(100, 990))] for n in range(4)]
    return [Block("row", "\t".join(row)) for row in rows]


def _join(cast: Cast, templates: list[str]) -> str:
    gap = "" if cast.bank["language"] == "ja" else " "
    return gap.join(cast.fill(template) for template in templates)


def _shuffled(lines: list[str], random: Random) -> list[str]:
    return random.sample(lines, len(lines))


def _interleave(*lists: list[str]) -> list[str]:
    longest = max(map(len, lists))
    return [lines[n] for n in range(longest) for lines in lists if n < len(lines)]
