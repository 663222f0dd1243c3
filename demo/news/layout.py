"""An article's page as a list of elements: its blocks, with boilerplate between and around them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from random import Random
from typing import Any

import yaml

from demo.news.grammar import DATA
from demo.news.newsroom import Edition, edition
from demo.news.story import SEED, Block, Story

_GROUPS = {"li": "ul", "row": "table"}


@dataclass(frozen=True)
class PageElement:
    """An element of a page. `kind` is a block's kind, `ul` or `table` for grouped blocks, or a kind of boilerplate."""

    kind: str
    text: str = ""
    items: tuple[Any, ...] = ()


@cache
def boilerplate(language: str) -> dict[str, Any]:
    """The labels and texts around articles, in a language."""
    labels: dict[str, dict[str, Any]] = yaml.safe_load((DATA / "boilerplate.yaml").read_text(encoding="utf-8"))
    return labels[language]


def page_elements(story: Story) -> list[PageElement]:
    """The body in order, with captions, related stories, prompts and other boilerplate between its paragraphs."""
    random = Random(f"{SEED}:furniture:{story.site}:{story.number}")
    parts = _grouped(story.blocks)
    inserts = [
        PageElement("figure", story.captions[0]),
        PageElement("related", items=tuple(related(story, 3, "inside"))),
        PageElement("prompt", story.tags[0]),
    ]
    inserts += [PageElement("newsletter"), PageElement("pullquote", _pull_quote(story))] if len(parts) > 5 else []
    inserts += [PageElement("ad")] * random.randint(0, 2)
    inserts += [PageElement("figure", story.captions[1])] if len(parts) > 8 else []
    kept = [part for part in inserts if random.random() < 0.8]
    for part in kept:
        parts.insert(random.randint(1, len(parts)), part)
    return parts


def related(story: Story, count: int, use: str) -> list[Story]:
    """Other stories of the same site and language. They are the same at every tick; some may be withdrawn meanwhile."""
    random = Random(f"{SEED}:{use}:{story.site}:{story.number}")
    others = [other for other in edition(0).of(story.site) if other.language == story.language and other.number != story.number]
    return random.sample(others, min(count, len(others)))


def most_read(current: Edition, story: Story) -> list[Story]:
    """The stories of a box that changes at every tick. Only some pages have it."""
    if story.number % 3:
        return []
    others = [other for other in current.of(story.site) if other.language == story.language and other.number != story.number]
    return Random(f"{SEED}:read:{current.clock}").sample(others, 5)


def comments_of(story: Story) -> int:
    """How many comments a story has."""
    return Random(f"{SEED}:comments:{story.number}").randint(0, 240)


def _grouped(blocks: tuple[Block, ...]) -> list[PageElement]:
    parts: list[PageElement] = []
    for block in blocks:
        group = _GROUPS.get(block.kind)
        item = tuple(block.text.split("\t")) if group == "table" else block.text
        if group and parts and parts[-1].kind == group:
            parts[-1] = PageElement(group, items=(*parts[-1].items, item))
        else:
            parts.append(PageElement(group, items=(item,)) if group else PageElement(block.kind, block.text))
    return parts


def _pull_quote(story: Story) -> str:
    """A sentence of the body, repeated in large letters."""
    text = story.blocks[1].text
    return text.partition("。")[0] + "。" if story.language == "ja" else text.partition(". ")[0].rstrip(".") + "."
