"""How soon news and edits are captured at equal numbers of fetches: our revisit policy beside the usual ones, in virtual time.

Thirty days over sites whose publication and edit times are known. Fetches happen only at schedule ticks. Each policy has one knob,
the scale of its intervals, which is turned until it spends the same number of fetches as the others.

Peers (settings as published): fixed intervals for every URL; fixed intervals for sources only; Nutch's AdaptiveFetchSchedule
(interval x1.4 when unchanged, x0.8 when changed, for every URL, synchronised with changes by 0.3 of the time since the change);
news-crawl's (feeds and sitemaps only, x1.5 / x0.8, articles never again).
"""

from __future__ import annotations

import heapq
import math
import random
import statistics
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from spiders.revisit import Bounds, RevisitState, Visit, after_visit, due_at

DAYS = 30
TICK_HOURS = 0.25
SITES = 40
SEED = 1
WARM_UP_HOURS = 3 * 24.0
SOURCE_BOUNDS = Bounds(0, 48)
ARTICLE_BOUNDS = Bounds(0, 24 * 30)


@dataclass(slots=True)
class Story:
    """One article: when it was published and edited, and the sources of its site that link to it with their lags in hours."""

    published: float
    edits: list[float]
    found: float | None = None
    captured: float | None = None
    versions: int = 0
    delays: list[float] = field(default_factory=list)


@dataclass(slots=True)
class Source:
    """A feed, sitemap or hub: the stories it lists with the time each appears there; the newest `window` are visible."""

    kind: str
    listed: list[tuple[float, Story]]
    window: int
    dated: bool

    def visible(self, now: float) -> list[Story]:
        return [story for time, story in self.listed if time <= now][-self.window :]


@dataclass(slots=True)
class Site:
    stories: list[Story]
    sources: list[Source]


def make_sites(seed: int) -> list[Site]:
    chance = random.Random(seed)
    return [_site(chance) for _ in range(SITES)]


def _site(chance: random.Random) -> Site:
    per_day = min(max(chance.lognormvariate(math.log(12), 1.2), 0.3), 200)
    zone = chance.choice([0, 1, 2, 9, -5, -8])
    stories = [_story(chance, time) for time in _publication_times(chance, per_day, zone)]
    return Site(stories, list(_sources(chance, stories)))


def _publication_times(chance: random.Random, per_day: float, zone: int) -> list[float]:
    busy = [0.15 if hour < 6 else 1.6 if 8 <= hour < 19 else 0.8 for hour in range(24)]
    times = []
    for hour in range(-3 * 24, DAYS * 24):
        weekend = 0.5 if (hour // 24) % 7 in {5, 6} else 1.0
        rate = per_day / 24 * busy[(hour + zone) % 24] * weekend
        times += [hour + chance.random() for _ in range(_poisson(chance, rate))]
    return sorted(times)


def _poisson(chance: random.Random, mean: float) -> int:
    count, product, limit = 0, chance.random(), math.exp(-mean)
    while product > limit:
        count += 1
        product *= chance.random()
    return count


def _story(chance: random.Random, published: float) -> Story:
    """A third of the stories are edited, mostly within hours; a few (running stories) many times."""
    running = chance.random() < 0.05
    count = chance.randint(4, 12) if running else (chance.choice([1, 1, 2, 3]) if chance.random() < 0.33 else 0)
    edits = sorted(published + chance.lognormvariate(math.log(2.0), 1.3) for _ in range(count))
    return Story(published, edits)


def _sources(chance: random.Random, stories: list[Story]) -> Iterable[Source]:
    """What sites really offer: a front page, sections, perhaps a feed, section feeds and a news sitemap, each with its own lag."""

    def source(kind: str, chosen: list[Story], lag: float, window: int, *, dated: bool) -> Source:
        listed = [(story.published + chance.expovariate(1 / lag), story) for story in chosen]
        return Source(kind, sorted(listed, key=lambda item: item[0]), window, dated)

    yield source("hub", [story for story in stories if chance.random() < 0.85], 0.1, 40, dated=False)
    count = chance.randint(3, 8)
    sections: list[list[Story]] = [[] for _ in range(count)]
    for story in stories:
        sections[min(int(chance.expovariate(0.7)), count - 1)].append(story)
    for section in sections:
        yield source("hub", section, 0.2, 25, dated=False)
    if chance.random() < 0.75:
        yield source("feed", stories, 0.15, chance.choice([20, 30, 50]), dated=True)
    if chance.random() < 0.4:
        for section in sections[:4]:
            yield source("feed", section, 0.25, 20, dated=True)
    if chance.random() < 0.6:
        yield source("sitemap", stories, 0.3, 1000, dated=True)
    yield source("sitemap", stories[:: max(len(stories) // 50, 1)], 24.0, 50, dated=True)


class Policy:
    """When a URL is due again. `source` is None for an article."""

    name = ""
    revisits_articles = True
    kinds: frozenset[str] = frozenset({"hub", "feed", "sitemap"})

    def __init__(self, scale: float) -> None:
        self.scale = scale

    def next_due(self, key: int, kind: str, visit: Visit) -> float:
        raise KeyError(kind)


class FixedAll(Policy):
    name = "fixed interval, every URL"

    def next_due(self, key: int, kind: str, visit: Visit) -> float:
        return visit.at + self.scale


class FixedSources(FixedAll):
    name = "fixed interval, sources only"
    revisits_articles = False


class Adaptive(Policy):
    """Multiplicative: longer by `longer` when unchanged, shorter by `shorter` when changed."""

    longer, shorter = 0.4, 0.2
    shortest, longest = 1 / 60, 24 * 365.0
    sync = 0.3

    def __init__(self, scale: float) -> None:
        super().__init__(scale)
        self.intervals: dict[int, float] = {}
        self.changed_at: dict[int, float] = {}

    def next_due(self, key: int, kind: str, visit: Visit) -> float:
        interval = self.intervals.get(key, self.first(kind))
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

    def first(self, kind: str) -> float:
        return 24.0 * self.scale


class Nutch(Adaptive):
    name = "Nutch AdaptiveFetchSchedule"


class NewsCrawl(Adaptive):
    name = "news-crawl"
    revisits_articles = False
    kinds = frozenset({"feed", "sitemap"})
    longer, shorter, sync = 0.5, 0.2, 0.0
    shortest, longest = 1.5, 90 * 24.0

    def first(self, kind: str) -> float:
        return (12.0 if kind == "feed" else 24.0) * self.scale


class Ours(Policy):
    name = "crawlhouse"

    def __init__(self, scale: float) -> None:
        super().__init__(scale)
        self.states: dict[int, RevisitState] = {}

    def next_due(self, key: int, kind: str, visit: Visit) -> float:
        state = self.states.get(key) or RevisitState(source=kind != "article", first_seen=visit.at)
        self.states[key] = state = after_visit(state, visit)
        return due_at(state, ARTICLE_BOUNDS if kind == "article" else SOURCE_BOUNDS, self.scale)


@dataclass(frozen=True)
class Result:
    fetches: int
    median_delay: float
    mean_delay: float
    missed: float
    median_edit_delay: float
    edits_caught: float


def simulate(make: Callable[[], list[Site]], policy: Policy) -> Result:
    """Run one policy over the sites: at each tick the due URLs are fetched in the order of their due times."""
    sites = make()
    fetches = 0
    queue: list[tuple[float, int, str, Source | Story]] = []
    seen_version: dict[int, int] = {}
    for site in sites:
        queue += [(0.0, id(source), source.kind, source) for source in site.sources if source.kind in policy.kinds]
    heapq.heapify(queue)
    tick = 0.0
    while tick < DAYS * 24:
        while queue and queue[0][0] <= tick:
            _, key, kind, thing = heapq.heappop(queue)
            fetches += 1
            if isinstance(thing, Story):
                visit = _visit_story(thing, key, tick, seen_version)
            else:
                visit, new = _visit_source(thing, key, tick, seen_version)
                fetches += len(new)
                for story in new:
                    first = _visit_story(story, id(story), tick, seen_version)
                    if policy.revisits_articles:
                        heapq.heappush(queue, (max(policy.next_due(id(story), "article", first), tick + 1e-9), id(story), "article", story))
            heapq.heappush(queue, (max(policy.next_due(key, kind, visit), tick + 1e-9), key, kind, thing))
        tick += TICK_HOURS
    return _measure(sites, fetches)


def _visit_story(story: Story, key: int, now: float, seen: dict[int, int]) -> Visit:
    version = sum(edit <= now for edit in story.edits)
    if story.captured is None:
        story.captured = now
        story.versions = version
    else:
        story.delays += [now - edit for edit in story.edits[story.versions : version]]
    changed = seen.get(key, version) != version
    seen[key] = version
    story.versions = max(story.versions, version)
    return Visit(now, changed=changed)


def _visit_source(source: Source, key: int, now: float, seen: dict[int, int]) -> tuple[Visit, list[Story]]:
    visible = source.visible(now)
    new = [story for story in visible if story.captured is None]
    newest = id(visible[-1]) if visible else 0
    changed = seen.get(key, 0) != newest
    seen[key] = newest
    times = [story.published for story in visible] if source.dated else []
    return Visit(now, changed=changed, new_items=len(new), item_times=times), new


def _measure(sites: list[Site], fetches: int) -> Result:
    stories = [story for site in sites for story in site.stories if WARM_UP_HOURS <= story.published < (DAYS - 2) * 24]
    end = DAYS * 24.0
    delays = [(end if story.captured is None else story.captured) - story.published for story in stories]
    edits = [delay for story in stories for delay in story.delays]
    pending = [
        end - edit
        for story in stories
        for edit in (story.edits if story.captured is None else story.edits[story.versions :])
        if edit < (DAYS - 2) * 24
    ]
    missed = sum(story.captured is None for story in stories) / len(stories)
    caught = len(edits) / max(len(edits) + len(pending), 1)
    return Result(fetches, statistics.median(delays), statistics.fmean(delays), missed, statistics.median(edits + pending or [0.0]), caught)


def at_equal_fetches(policy: type[Policy], seed: int, budget: int) -> Result:
    """Turn the policy's knob (larger means fewer fetches) until it spends the budget, as nearly as it can."""
    low, high = 1e-3, 1e3
    best: Result | None = None
    for _ in range(14):
        middle = math.sqrt(low * high)
        result = simulate(lambda: make_sites(seed), policy(middle))
        if best is None or abs(result.fetches - budget) < abs(best.fetches - budget):
            best = result
        if abs(result.fetches - budget) < 0.01 * budget:
            break
        low, high = (middle, high) if result.fetches > budget else (low, middle)
    assert best is not None
    return best


def main() -> int:
    stories = sum(len(site.stories) for site in make_sites(SEED))
    print(f"{SITES} sites, {stories} stories, {DAYS} days, ticks of {TICK_HOURS * 60:.0f} minutes; hours")
    header = f"{'policy':32} {'fetches':>8} {'median delay':>13} {'mean':>7} {'missed':>7} {'edit delay':>11} {'edits caught':>13}"
    as_published = simulate(lambda: make_sites(SEED), NewsCrawl(1.0)).fetches
    for budget, why in (
        (as_published, "what news-crawl's settings spend"),
        (int(stories * 2.5), "2.5 a story"),
        (stories * 4, "4 a story"),
    ):
        print(f"\n{budget} fetches: {why}\n{header}")
        for policy in (FixedAll, FixedSources, Nutch, NewsCrawl, Ours):
            got = at_equal_fetches(policy, SEED, budget)
            print(
                f"{policy.name:32} {got.fetches:8} {got.median_delay:13.2f} {got.mean_delay:7.2f} {got.missed:7.1%} "
                f"{got.median_edit_delay:11.2f} {got.edits_caught:13.1%}"
            )
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
