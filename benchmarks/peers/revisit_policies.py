"""The revisit policies that the freshness benchmark compares: crawlhouse's, with the product's own functions, and the usual ones.

Peers (settings as published): fixed intervals for every URL; fixed intervals for sources only; Nutch's AdaptiveFetchSchedule
(interval x1.4 when unchanged, x0.8 when changed, for every URL, synchronised with changes by 0.3 of the time since the change);
news-crawl's (feeds and sitemaps only, x1.5 / x0.8, articles never again). Each has one parameter, the scale of its intervals.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import islice

from benchmarks.inputs.news_sites import DAYS, Source, Story
from schemas.capture import UrlKind
from schemas.config.crawl import Revisit
from spiders.schedule.edits import hint_wait
from spiders.schedule.next_visit import source_speed, tie_breaker
from spiders.schedule.revisit import after_visit, due_at
from spiders.schedule.state import Bounds, RevisitState, Visit
from storage.frontier.hint_trust import HintTrust, allowance, is_plausible, with_followed, with_outcome

LONGEST_HOURS = 24.0 * 30  # the bound of feeds, sitemaps and hubs here: longer than the default, which would matter if fetches are scarce
PRODUCT = Revisit(feeds_max=LONGEST_HOURS, sitemaps_max=LONGEST_HOURS, hubs_max=LONGEST_HOURS)
TICK_HOURS = 0.25  # a crawl every quarter of an hour
BOUNDS = {
    "hub": Bounds(PRODUCT.hubs_min, PRODUCT.hubs_max, TICK_HOURS),
    "feed": Bounds(PRODUCT.feeds_min, PRODUCT.feeds_max, TICK_HOURS),
    "sitemap": Bounds(PRODUCT.sitemaps_min, PRODUCT.sitemaps_max, TICK_HOURS),
    "article": Bounds(PRODUCT.articles_min, PRODUCT.articles_max, TICK_HOURS),
}
KINDS = {"hub": "page", "feed": "feed", "sitemap": "sitemap"}
HOUR_SECONDS = 3600.0


class Policy:
    """When a source or a story is due again, in hours."""

    name = ""
    revisits_articles = True
    kinds: frozenset[str] = frozenset({"hub", "feed", "sitemap"})

    def __init__(self, scale: float) -> None:
        self.scale = scale

    @classmethod
    def usual_scale(cls, budget: int, stories: int, sources: int) -> float:
        """Where the search for the scale begins: about the one that spends the budget."""
        return 1.0

    def next_due(self, thing: Source | Story, visit: Visit) -> float:
        """When the thing is due again after a visit."""
        raise KeyError(type(thing))

    def hinted(self, source: Source, now: float) -> list[Story]:
        """The known stories of the source that are fetched now because the source says that they changed."""
        return []


class FixedAll(Policy):
    """The same interval for everything."""

    name = "fixed interval, every URL"

    @classmethod
    def usual_scale(cls, budget: int, stories: int, sources: int) -> float:
        return 0.8 * (sources + stories / 2) * DAYS * 24 / budget

    def next_due(self, thing: Source | Story, visit: Visit) -> float:
        return visit.at + self.scale


class FixedSources(FixedAll):
    """The same interval for all sources; articles never again."""

    name = "fixed interval, sources only"
    revisits_articles = False

    @classmethod
    def usual_scale(cls, budget: int, stories: int, sources: int) -> float:
        return sources * DAYS * 24 / max(budget - stories, sources)


class Adaptive(Policy):
    """Multiplicative: longer by `longer` when unchanged, shorter by `shorter` when changed."""

    longer, shorter = 0.4, 0.2
    shortest, longest = 1 / 60, 24 * 365.0
    sync = 0.3

    def __init__(self, scale: float) -> None:
        super().__init__(scale)
        self.intervals: dict[int, float] = {}
        self.changed_at: dict[int, float] = {}

    def next_due(self, thing: Source | Story, visit: Visit) -> float:
        key = thing.key
        interval = self.intervals.get(key, self.first(thing))
        interval *= (1 - self.shorter) if visit.changed else (1 + self.longer)
        reference = 0.0
        if self.sync and visit.changed:
            self.changed_at[key] = visit.at
        elif self.sync and key in self.changed_at:
            delta = visit.at - self.changed_at[key]
            interval = max(interval, delta)
            reference = delta * self.sync
        interval = min(max(interval, self.shortest * self.scale), self.longest)
        self.intervals[key] = interval
        return visit.at + max(interval - reference, self.shortest * self.scale)

    def first(self, thing: Source | Story) -> float:
        """The interval before anything is known."""
        return 24.0 * self.scale


class Nutch(Adaptive):
    """Nutch 1.x, AdaptiveFetchSchedule."""

    name = "Nutch AdaptiveFetchSchedule"

    @classmethod
    def usual_scale(cls, budget: int, stories: int, sources: int) -> float:
        return 13.0 * stories / budget


class NewsCrawl(Adaptive):
    """Common Crawl's news-crawl on StormCrawler's adaptive scheduler."""

    name = "news-crawl"
    revisits_articles = False
    kinds = frozenset({"feed", "sitemap"})
    longer, shorter, sync = 0.5, 0.2, 0.0
    shortest, longest = 1.5, 90 * 24.0
    soft = 0.2  # below this scale the scale hardly changes the intervals, so for more fetches they are lengthened less

    def __init__(self, scale: float) -> None:
        super().__init__(scale)
        self.longer *= min(scale / self.soft, 1.0)

    def first(self, thing: Source | Story) -> float:
        return (12.0 if isinstance(thing, Source) and thing.kind == "feed" else 24.0) * self.scale


class Ours(Policy):
    """crawlhouse: its revisit policy and hint trust, within the default bounds of a crawl. The parameter is the price of a fetch."""

    name = "crawlhouse"
    follows_hints = True

    @classmethod
    def usual_scale(cls, budget: int, stories: int, sources: int) -> float:
        return 1.6 / max(budget / stories - 0.75, 0.15)

    def __init__(self, scale: float) -> None:
        super().__init__(scale)
        self.wait = max(BOUNDS["article"].shortest, hint_wait(scale))
        self.sources: dict[int, dict[int, RevisitState]] = {}
        self.primary: dict[int, dict[int, RevisitState]] = {}
        self.visited: list[tuple[Source, RevisitState]] = []  # in this tick
        self.tick = -1.0
        self.articles: dict[int, RevisitState] = {}
        self.trust: dict[tuple[int, str], HintTrust] = {}
        self.hints: dict[int, tuple[int, str]] = {}

    def next_due(self, thing: Source | Story, visit: Visit) -> float:
        if isinstance(thing, Story):
            return self._article_due(thing, visit)
        state = self.sources[thing.site].get(thing.key) if thing.site in self.sources else None
        state = state or RevisitState(
            source=True,
            first_seen=visit.at,
            source_speed=source_speed(UrlKind(KINDS[thing.kind])),
            tie_breaker=tie_breaker(str(thing.key)),
        )
        if (modified := self._count_modified(thing, state, visit.at)) is not None:
            visit = replace(visit, modified=modified)
        state = after_visit(state, visit, self._other_primary_sources(thing, visit.at), self.scale)
        self.sources.setdefault(thing.site, {})[thing.key] = state
        self.visited.append((thing, state))
        return due_at(state, BOUNDS[thing.kind], self.scale)

    def _count_modified(self, source: Source, state: RevisitState, now: float) -> int | None:
        """As `spiders.schedule.next_visit` counts them."""
        if source.lastmod == "absent" or not self.trust.get((source.site, source.kind), HintTrust()).is_trusted:
            return None
        if source.lastmod == "lying":
            return 0 if state.visits else None
        if not state.visits:
            return 0
        start, end = source.visible(now)
        changed = [story for story in source.stories[start:end] if story.last_change > state.last_visit >= story.published]
        return sum(state.last_visit < story.modified(now) for story in changed)

    def _other_primary_sources(self, source: Source, now: float) -> list[RevisitState]:
        """The site's primary sources as they were registered before this tick."""
        if self.tick != now:
            self.tick = now
            for visited, state in self.visited:
                known = self.primary.setdefault(visited.site, {})
                known.pop(visited.key, None)
                if state.is_primary_source:
                    known[visited.key] = state
            self.visited.clear()
        return [state for key, state in self.primary.get(source.site, {}).items() if key != source.key]

    def _article_due(self, story: Story, visit: Visit) -> float:
        if story.key in self.hints:
            by = self.hints.pop(story.key)
            self.trust[by] = with_outcome(self.trust[by], visit.changed)
        state = self.articles.get(story.key) or RevisitState(
            source=False, first_seen=visit.at if story.listed is None else story.listed, tie_breaker=tie_breaker(str(story.key))
        )
        by = self.trust.get((story.site, story.listed_by)) if story.listed_by else None
        if state.modified != (watched := float(by is not None and by.is_confirmed)):
            state = replace(state, modified=watched)
        self.articles[story.key] = state = after_visit(state, visit)
        return due_at(state, BOUNDS["article"], self.scale)

    def hinted(self, source: Source, now: float) -> list[Story]:
        if not self.follows_hints or source.lastmod == "absent":
            return []
        by = (source.site, source.kind)
        trust = self.trust.get(by, HintTrust())
        room = allowance(trust, now * HOUR_SECONDS)
        if not room:
            return []
        start, end = source.visible(now)
        shown = [story for story in reversed(source.stories[start:end]) if story.captured is not None]
        if source.lastmod == "honest":
            shown = [story for story in shown if story.last_change > story.fetched]
        chosen = list(islice((story for story in shown if self._is_news(source, story, now)), room))
        self.trust[by] = with_followed(trust, len(chosen), now * HOUR_SECONDS) if chosen else trust
        self.hints.update((story.key, by) for story in chosen)
        return chosen

    def _is_news(self, source: Source, story: Story, now: float) -> bool:
        claimed = source.modified(story, now)
        if claimed is None or story.key in self.hints or now - story.fetched < self.wait:
            return False
        return is_plausible(claimed, story.fetched, now)
