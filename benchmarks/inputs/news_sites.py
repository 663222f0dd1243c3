"""Made-up news sites with known publication and edit times, for the freshness benchmark. Times are in hours. A seed decides everything.

The sources are those of real sites: a front page, sections, perhaps a feed, section feeds and a news sitemap. Each has its own lag and room
for a number of stories. An archive sitemap is a day late. The modification dates of feeds and sitemaps are honest on some sites, always the
present time on others, and missing on the rest.
"""

from __future__ import annotations

import math
import random
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import count
from typing import Literal

DAYS = 30
SITES = 40
MODIFIED_LAG_HOURS = 0.2  # after an edit, until `lastmod` says it
Lastmod = Literal["honest", "lying", "absent"]


@dataclass(slots=True)
class Story:
    """One article: when it was published and edited, and what was captured so far.

    `listed` is its date in the source that led to it, `listed_by` the kind of that source if it gives modification dates.
    """

    key: int
    site: int
    published: float
    edits: list[float]
    last_change: float
    listed: float | None = None
    listed_by: str | None = None
    captured: float | None = None
    fetched: float = 0.0
    versions: int = 0
    delays: list[float] = field(default_factory=list)

    def reset(self) -> None:
        """Forget all captures, for the next simulation."""
        self.listed = self.listed_by = self.captured = None
        self.fetched, self.versions, self.delays = 0.0, 0, []

    def capture(self, now: float) -> None:
        """Note the first capture."""
        self.captured = now

    def fetch(self, now: float) -> bool:
        """Note a fetch: the first capture, or the delays of the edits that it shows. Returns whether the story had changed."""
        version = bisect_right(self.edits, now)
        if self.captured is None:
            self.capture(now)
        else:
            self.delays += [now - edit for edit in self.edits[self.versions : version]]
        changed = self.versions != version
        self.fetched, self.versions = now, version
        return changed

    def modified(self, now: float) -> float:
        """The `lastmod` of an honest source now."""
        edited = bisect_right(self.edits, now - MODIFIED_LAG_HOURS)
        return self.edits[edited - 1] if edited else self.published


@dataclass(slots=True)
class Source:
    """A feed, sitemap or hub. Its stories are in the order in which they appear there; the newest `window` are visible."""

    key: int
    site: int
    kind: str
    stories: list[Story]
    appears: list[float]
    window: int
    dated: bool
    lastmod: Lastmod
    published: list[float] = field(init=False)

    def __post_init__(self) -> None:
        self.published = [story.published for story in self.stories]

    def visible(self, now: float) -> tuple[int, int]:
        """The places in `stories` between which a visitor sees them now, the newest last."""
        end = bisect_right(self.appears, now)
        return max(end - self.window, 0), end

    def modified(self, story: Story, now: float) -> float | None:
        """What the source says about a story's last change."""
        if self.lastmod == "absent":
            return None
        return now if self.lastmod == "lying" else story.modified(now)


@dataclass(slots=True)
class Site:
    """One site with all its stories."""

    stories: list[Story]
    sources: list[Source]


def make_sites(seed: int) -> list[Site]:
    """The sites of a seed, always the same."""
    chance, habits, keys = random.Random(seed), random.Random(f"manners {seed}"), count()
    return [_site(chance, habits, number, keys) for number in range(SITES)]


def _site(chance: random.Random, habits: random.Random, number: int, keys: Iterator[int]) -> Site:
    per_day = min(max(chance.lognormvariate(math.log(12), 1.2), 0.3), 200)
    zone = chance.choice([0, 1, 2, 9, -5, -8])
    return site_of(chance, habits, number, _publication_times(chance, per_day, zone), keys)


def site_of(chance: random.Random, habits: random.Random, number: int, times: Iterable[float], keys: Iterator[int]) -> Site:
    """A site that publishes at these times; its edits and sources are made up."""
    stories = [_story(chance, number, time, next(keys)) for time in times]
    lastmod: Lastmod = habits.choice(["honest", "honest", "lying", "absent", "absent"])
    return Site(stories, list(_sources(chance, habits, number, stories, lastmod, keys)))


def _publication_times(chance: random.Random, per_day: float, zone: int) -> list[float]:
    busy = [0.15 if hour < 6 else 1.6 if 8 <= hour < 19 else 0.8 for hour in range(24)]
    times = []
    for hour in range(-3 * 24, DAYS * 24):
        weekend = 0.5 if (hour // 24) % 7 in {5, 6} else 1.0
        rate = per_day / 24 * busy[(hour + zone) % 24] * weekend
        times += [hour + chance.random() for _ in range(_poisson(chance, rate))]
    return sorted(times)


def _poisson(chance: random.Random, mean: float) -> int:
    events, product, limit = 0, chance.random(), math.exp(-mean)
    while product > limit:
        events += 1
        product *= chance.random()
    return events


def _story(chance: random.Random, site: int, published: float, key: int) -> Story:
    """A third of the stories are edited, mostly within hours. A few (running stories) are edited many times."""
    running = chance.random() < 0.05
    times = chance.randint(4, 12) if running else (chance.choice([1, 1, 2, 3]) if chance.random() < 0.33 else 0)
    edits = sorted(published + chance.lognormvariate(math.log(2.0), 1.3) for _ in range(times))
    return Story(key, site, published, edits, edits[-1] if edits else published)


def _sources(
    chance: random.Random, habits: random.Random, site: int, stories: list[Story], lastmod: Lastmod, keys: Iterator[int]
) -> Iterable[Source]:
    def source(kind: str, chosen: list[Story], lag: float, window: int, says: Lastmod = "absent") -> Source:
        listed = sorted(((story.published + chance.expovariate(1 / lag), story) for story in chosen), key=lambda item: item[0])
        appears, shown = [time for time, _ in listed], [story for _, story in listed]
        return Source(next(keys), site, kind, shown, appears, window, kind != "hub", says)

    in_feeds: Lastmod = lastmod if habits.random() < 0.5 else "absent"  # Atom says when, RSS seldom
    yield source("hub", [story for story in stories if chance.random() < 0.85], 0.1, 40)
    number = chance.randint(3, 8)
    sections: list[list[Story]] = [[] for _ in range(number)]
    for story in stories:
        sections[min(int(chance.expovariate(0.7)), number - 1)].append(story)
    for section in sections:
        yield source("hub", section, 0.2, 25)
    if chance.random() < 0.75:
        yield source("feed", stories, 0.15, chance.choice([20, 30, 50]), in_feeds)
    if chance.random() < 0.4:
        for section in sections[:4]:
            yield source("feed", section, 0.25, 20, in_feeds)
    if chance.random() < 0.6:
        yield source("sitemap", stories, 0.3, 1000, lastmod)
    yield source("sitemap", stories[:: max(len(stories) // 50, 1)], 24.0, 50)
