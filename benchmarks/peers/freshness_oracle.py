"""The visits of a crawl that knows when each article is published, listed and edited, for the freshness benchmark. Times are in hours."""

from __future__ import annotations

import math

from benchmarks.inputs.news_sites import DAYS, Site, Story


def visit_with_knowledge(site: Site, knob: float, tick_hours: float) -> int:
    """Visit a site whenever the waiting times of its new stories add up to `knob` hours. Returns the number of fetches."""
    waiting, published, fetches, after = list[Story](), 0.0, 0, 0.0
    for listed, story in [*_first_listed(site), (DAYS * 24.0, None)]:
        if waiting:
            tick = math.ceil(max(after, (knob + published) / len(waiting)) / tick_hours) * tick_hours
            if tick < listed:
                for new in waiting:
                    new.fetch(tick)
                fetches += 1 + len(waiting)
                waiting, published = [], 0.0
        if story is not None:
            waiting.append(story)
            published, after = published + story.published, max(listed, 0.0)
    return fetches


def _first_listed(site: Site) -> list[tuple[float, Story]]:
    """The stories of a site in the order in which they appear in any source, each with that time."""
    first: dict[int, tuple[float, Story]] = {}
    for source in site.sources:
        for time, story in zip(source.appears, source.stories, strict=True):
            if story.key not in first or time < first[story.key][0]:
                first[story.key] = (time, story)
    return sorted(first.values(), key=lambda listed: (listed[0], listed[1].key))


def find_edits(stories: list[Story], share: float, tick_hours: float) -> int:
    """Fetch stories after their last edit until this share of the edits is found, most edits first. Returns the number of fetches."""
    edited = {story.key: len(story.edits) - story.versions for story in stories if story.edits and story.last_change < DAYS * 24}
    wanted, found, fetches = share * sum(edited.values()), 0, 0
    for story in sorted(stories, key=lambda story: -edited.get(story.key, 0)):
        if found >= wanted:
            break
        found, fetches = found + edited.get(story.key, 0), fetches + 1
        story.fetch(math.ceil(story.last_change / tick_hours) * tick_hours)
    return fetches
