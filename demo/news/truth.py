"""The ground truth: what a perfect crawler and a perfect extractor would read from every article."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass

from demo.news.newsroom import edition
from demo.news.story import Story
from demo.sites import Site, make_sites

DEFAULT_BASES = ("http://127.0.0.1:8801", "http://127.0.0.1:8802")


@dataclass(frozen=True)
class Truth:
    """One article at one tick.

    `paragraphs` is the body in order: paragraphs, subheads, list items, quotations, table rows
    (cells separated by tabs) and code. `kinds` has the kind of each one. Times are ISO 8601, UTC.
    """

    url: str
    title: str
    standfirst: str
    paragraphs: tuple[str, ...]
    kinds: tuple[str, ...]
    authors: tuple[str, ...]
    published_at: str
    modified_at: str
    language: str
    section: str
    charset: str
    version: int
    copy_of: str | None
    copy_exact: bool


def articles(clock: int, bases: tuple[str, str] = DEFAULT_BASES) -> list[Truth]:
    """Every article that is published at a tick, newest first."""
    sites = make_sites(*bases)
    stories = edition(clock).stories
    urls = {story.key: sites[story.site].base + sites[story.site].article_path(story) for story in stories}
    return [_truth(story, sites[story.site], urls) for story in stories]


def withdrawn(clock: int, bases: tuple[str, str] = DEFAULT_BASES) -> list[str]:
    """The URLs that answer 410 at a tick."""
    sites = make_sites(*bases)
    return [sites[story.site].base + sites[story.site].article_path(story) for story in edition(clock).withdrawn]


def articles_json(clock: int, bases: tuple[str, str]) -> bytes:
    """The response of `/__truth__/articles.json`."""
    found = {"clock": clock, "articles": [asdict(truth) for truth in articles(clock, bases)], "withdrawn": withdrawn(clock, bases)}
    return json.dumps(found, ensure_ascii=False, indent=1).encode()


def _truth(story: Story, site: Site, urls: dict[tuple[int, int], str]) -> Truth:
    return Truth(
        url=urls[story.key],
        title=story.title,
        standfirst=story.standfirst,
        paragraphs=tuple(block.text for block in story.blocks),
        kinds=tuple(block.kind for block in story.blocks),
        authors=story.authors,
        published_at=story.published_at.isoformat(),
        modified_at=story.modified_at.isoformat(),
        language=story.language,
        section=site.section_of(story).name,
        charset=site.section_of(story).charset,
        version=story.version,
        copy_of=urls[story.copy_of] if story.copy_of else None,
        copy_exact=story.copy_exact,
    )
