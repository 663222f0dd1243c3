"""How soon news and edits are captured with equal numbers of fetches: crawlhouse's revisit policy and usual ones, in simulated time.

Thirty days over made-up sites whose publication and edit times are known, and over sites with real publication times. Fetches happen only
at schedule ticks. Each policy has one parameter, which is adjusted until all policies spend the same number of fetches. For comparison
there are an oracle, which knows when each article is published, listed and edited, and the lower bound: all sources at every tick.
"""

from __future__ import annotations

import argparse
import contextlib
import heapq
import io
import math
import os
import statistics
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import repeat
from pathlib import Path

from benchmarks.inputs.news_sites import DAYS, Site, Source, Story, make_sites
from benchmarks.inputs.real_times import real_sites
from benchmarks.peers.freshness_oracle import find_edits, visit_with_knowledge
from benchmarks.peers.revisit_policies import TICK_HOURS, FixedAll, FixedSources, NewsCrawl, Nutch, Ours, Policy
from spiders.schedule.state import Visit

# the policy's constants were chosen on these
TUNING_SEEDS = (*range(1, 13), *range(101, 107), *range(201, 221), *range(311, 321), *range(411, 421))
EVALUATION_SEEDS = tuple(range(511, 521))  # not used when the constants were chosen; published figures come from these
WARM_UP_HOURS = 3 * 24.0  # stories of the first days are not counted: every policy begins without knowledge
BUDGETS = (30_000, 53_000, 80_000)  # fetches: scarce, about as many as news-crawl spends, and plenty
MAX_BUDGET_FACTOR = 2  # a simulation that spends more than this times its budget is stopped early
NARROW = 0.02  # between the logarithms of two parameters: if the budget lies between them, it is a step of the fetches
USUAL_SLOPE = 0.7  # how much the logarithm of the fetches falls with that of a parameter, about
TRIES = 12  # of the parameter; the tolerance is usually met earlier
FIGURES = ("median_delay", "mean_delay", "missed", "median_edit_delay", "edits_caught")
ORACLE_HOURS = 0.5  # where the search for its parameter begins
ENOUGH_FOR_EDITS = 37_000  # with fewer fetches, those for edits are wanted for new stories
TOLERANCE = 0.01  # of the logarithm of the fetches: 1 %
Make = Callable[[int], list[Site]]
POLICIES: tuple[type[Policy], ...] = (FixedAll, FixedSources, Nutch, NewsCrawl, Ours)
HEADER = f"{'policy':32} {'fetches':>8} {'median delay':>13} {'mean':>7} {'missed':>7} {'edit delay':>11} {'edits caught':>13}"


@dataclass(frozen=True)
class Result:
    """Delays in hours, the rest as shares."""

    fetches: int
    median_delay: float
    mean_delay: float
    missed: float
    median_edit_delay: float
    edits_caught: float

    def line(self, name: str) -> str:
        """One line of the table."""
        shown = f"{name:32} {self.fetches:8} {self.median_delay:13.2f} {self.mean_delay:7.2f} {self.missed:7.1%}"
        return f"{shown} {self.median_edit_delay:11.2f} {self.edits_caught:13.1%}"


@dataclass(frozen=True)
class Shares:
    """Ours compared with the best peer: delays as ratios, missed stories as a difference; captured edits as a difference from Nutch's.

    `oracle` is the oracle's median delay as a share of the best peer's, `fetches` how many each policy made.
    """

    median_delay: float
    mean_delay: float
    missed: float
    edits: float
    oracle: float
    fetches: int


class Simulation:
    """One policy on the sites. At each tick the due URLs are fetched in the order of their due times.

    `site_pages` is how many pages a crawl can fetch from one site at a tick, because of its delay or `max_pages_per_host`. If it is less
    than what is due there, new stories and sources go first, as in a run of the product. The rest waits for the next tick.
    """

    def __init__(self, sites: list[Site], policy: Policy, site_pages: float = math.inf) -> None:
        self.sites = sites
        self.policy = policy
        self.site_pages = site_pages
        self.fetches = 0
        self.due: dict[int, float] = {}
        self.queue: list[tuple[float, int, Source | Story]] = []
        self.seen: dict[int, int] = {}
        self.used = Counter[int]()  # pages of this tick by site

    def run(self, most: float) -> Result:
        """Thirty days."""
        for site in self.sites:
            for source in site.sources:
                if source.kind in self.policy.kinds:
                    self._schedule(source, 0.0)
        for tick in range(int(DAYS * 24 / TICK_HOURS)):
            self._fetch_due(tick * TICK_HOURS)
            if self.fetches > most:
                break
        return _measure(self.sites, self.fetches)

    def _schedule(self, thing: Source | Story, due: float) -> None:
        self.due[thing.key] = due
        heapq.heappush(self.queue, (due, thing.key, thing))

    def _fetch_due(self, now: float) -> None:
        self.used.clear()
        for due, thing in self._take_due(now):
            if self.due[thing.key] != due:  # a hint has changed it
                continue
            if isinstance(thing, Story):
                self._fetch_story(thing, now)
            else:
                self._fetch_source(thing, now)

    def _take_due(self, now: float) -> Iterator[tuple[float, Source | Story]]:
        """Remove the due things from the queue. Known stories come last if the pages of a site are limited."""
        taken = []
        while self.queue and self.queue[0][0] <= now:
            due, _, thing = heapq.heappop(self.queue)
            taken.append((due, thing))
        if self.site_pages < math.inf:
            taken.sort(key=lambda pair: isinstance(pair[1], Story) and pair[1].captured is not None)
        return iter(taken)

    def _spend(self, thing: Source | Story, now: float) -> bool:
        """Count a fetch. False if the site has no page left at this tick: then the thing is due at the next one."""
        if self.used[thing.site] >= self.site_pages:
            self._schedule(thing, now)
            return False
        self.used[thing.site] += 1
        self.fetches += 1
        return True

    def _fetch_story(self, story: Story, now: float) -> None:
        if not self._spend(story, now):
            return
        changed = story.fetch(now)
        if self.policy.revisits_articles:
            self._schedule(story, max(self.policy.next_due(story, Visit(now, changed=changed)), now + 1e-9))

    def _fetch_source(self, source: Source, now: float) -> None:
        if not self._spend(source, now):
            return
        start, end = source.visible(now)
        seen, self.seen[source.key] = self.seen.get(source.key, 0), end
        shown = source.stories[max(start, seen) : end]
        new = [story for story in shown if story.captured is None and story.key not in self.due]  # those in `due` were found before
        for story in new if source.dated else ():
            story.listed, story.listed_by = story.published, None if source.lastmod == "absent" else source.kind
        for story in [*new, *self.policy.hinted(source, now)]:
            self._fetch_story(story, now)
        times = source.published[start:end] if source.dated else []
        visit = Visit(now, changed=seen != end, new_items=len(new), item_times=times)
        self._schedule(source, max(self.policy.next_due(source, visit), now + 1e-9))


def simulate(policy: Policy, seed: int, most: float = math.inf, make: Make = make_sites, site_pages: float = math.inf) -> Result:
    """One policy on the sites of a seed. It is stopped when it has spent more than `most` fetches."""
    return Simulation(_unvisited(make, seed), policy, site_pages).run(most)


def _unvisited(make: Make, seed: int) -> list[Site]:
    """The sites of a seed without captures. The same objects each time, since making them takes as long as a simulation."""
    sites = _sites(make, seed)
    for site in sites:
        for story in site.stories:
            story.reset()
    return sites


@lru_cache(maxsize=1)
def _sites(make: Make, seed: int) -> list[Site]:
    return make(seed)


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


def at_equal_fetches(spend: Callable[[float, float], Result], budget: int, start: float = 1.0) -> Result:
    """Adjust a parameter (larger means fewer fetches) until `spend(parameter, most fetches)` spends about the budget.

    The search begins at `start`. The method is false position on the logarithms. It stays away from the ends of the interval, since some
    parameters change the fetches in steps. If the budget lies within a step, the result is between those of its two ends.
    """
    low, high = None, None
    knob, tries = math.log(start), list[tuple[float, float, Result]]()
    for _ in range(TRIES):
        result = spend(math.exp(knob), MAX_BUDGET_FACTOR * budget)
        excess = math.log(result.fetches / budget)
        tries.append((knob, excess, result))
        if abs(excess) < TOLERANCE:
            return result
        if excess > 0:
            low = tries[-1]
        else:
            high = tries[-1]
        if low and high and high[0] - low[0] < NARROW:
            break
        knob = _between(low, high) if low and high else knob + excess / _slope(tries)
    if low and high:
        return _mixed(low[2], high[2], budget)
    return min(tries, key=lambda one: abs(one[1]))[2]


def _mixed(more: Result, fewer: Result, budget: int) -> Result:
    """The figures at a budget between those of two results, in proportion to the fetches."""
    share = (more.fetches - budget) / (more.fetches - fewer.fetches)
    figures = {name: (1 - share) * getattr(more, name) + share * getattr(fewer, name) for name in FIGURES}
    return replace(more, fetches=budget, **figures)


def _slope(tries: Sequence[tuple[float, float, Result]]) -> float:
    """How much the logarithm of the fetches falls with that of the parameter, by the last two tries."""
    if len(tries) < 2:
        return USUAL_SLOPE
    (first, excess, _), (second, later, _) = tries[-2:]
    return min(max((excess - later) / (second - first), USUAL_SLOPE / 4), 2 * USUAL_SLOPE)


def _between(low: tuple[float, float, Result], high: tuple[float, float, Result]) -> float:
    """The logarithm of a parameter between one that spends too much and one that spends too little."""
    share = low[1] / (low[1] - high[1])
    return low[0] + (high[0] - low[0]) * min(max(share, 0.15), 0.85)


def oracle(seed: int, budget: int, make: Make = make_sites, edits: float = 0.0) -> Result:
    """About the best result at a budget, for a crawl that knows when each article is published, listed and edited.

    One visit shows all new articles of a site. It is made when their waiting times add up to the parameter's hours. `edits` is the share of
    the edits that is to be found: an article is fetched again once, after its last edit, those with most edits first. If there are more
    articles than fetches, the sites with the fewest articles are not visited.
    """

    def spend(knob: float, most: float) -> Result:
        sites, fetches, left = _unvisited(make, seed), 0, 0.95 * budget
        for site in sorted(sites, key=lambda site: -len(site.stories)):
            if len(site.stories) <= left:
                left -= len(site.stories)
                fetches += visit_with_knowledge(site, knob, TICK_HOURS)
        fetches += find_edits([story for site in sites for story in site.stories if story.captured is not None], edits, TICK_HOURS)
        return _measure(sites, fetches)

    return at_equal_fetches(spend, budget, ORACLE_HOURS)


def limit(seed: int, make: Make = make_sites) -> Result:
    """The delays if every source is visited at every tick: from publication until the next tick after the first source lists it."""
    sites = _unvisited(make, seed)
    for site in sites:
        visit_with_knowledge(site, 0.0, TICK_HOURS)
    visits = int(DAYS * 24 / TICK_HOURS) * sum(len(site.sources) for site in sites)
    return _measure(sites, visits + sum(story.captured is not None for site in sites for story in site.stories))


def compare(seed: int, make: Make = make_sites, budgets: Sequence[int] = BUDGETS, site_pages: float = math.inf) -> dict[str, Shares]:
    """Print a table for one set of sites and each budget. Returns crawlhouse's results as shares of the best peer's, by budget."""
    sites = _unvisited(make, seed)
    stories, sources = sum(len(site.stories) for site in sites), sum(len(site.sources) for site in sites)
    print(f"\nseed {seed}: {len(sites)} sites, {stories} stories, {DAYS} days, ticks of {TICK_HOURS * 60:.0f} minutes; hours")
    as_published = simulate(NewsCrawl(1.0), seed, make=make, site_pages=site_pages).fetches
    shares: dict[str, Shares] = {}
    for name, budget in {"as many as news-crawl": as_published, **{str(budget): budget for budget in budgets}}.items():
        print(f"\n{budget} fetches{': what news-crawl spends by its own settings' if budget == as_published else ''}\n{HEADER}")
        results = {
            policy: at_equal_fetches(_spending(policy, seed, make, site_pages), budget, policy.usual_scale(budget, stories, sources))
            for policy in POLICIES
        }
        for policy, result in results.items():
            print(result.line(policy.name))
        best = oracle(seed, budget, make, results[Nutch].edits_caught)
        print(best.line("oracle, edits as Nutch"))
        shares[name] = _shares(results, best, budget)
        print(f"crawlhouse's median delay: {shares[name].median_delay:.2f} of the best peer's", flush=True)
    print(f"\nthe limit: every source at every tick\n{HEADER}\n{limit(seed, make).line('no delay but the tick')}")
    return shares


def _spending(policy: type[Policy], seed: int, make: Make, site_pages: float) -> Callable[[float, float], Result]:
    return lambda knob, most: simulate(policy(knob), seed, most, make, site_pages)


def _shares(results: dict[type[Policy], Result], best: Result, budget: int) -> Shares:
    own, peers = results[Ours], [result for policy, result in results.items() if policy is not Ours]
    return Shares(
        own.median_delay / min(peer.median_delay for peer in peers),
        own.mean_delay / min(peer.mean_delay for peer in peers),
        own.missed - min(peer.missed for peer in peers),
        own.edits_caught - results[Nutch].edits_caught,
        best.median_delay / min(peer.median_delay for peer in peers),
        budget,
    )


def readme_table(seeds: Sequence[dict[str, Shares]]) -> str:
    """The README's table: per budget the median of the seeds, and the range. Then in how many cases crawlhouse is behind."""
    lines = ["| fetches | median delay | oracle's | mean delay | missed | edits found |", "|---|---|---|---|---|---|"]
    for name in seeds[0]:
        shares = [one[name] for one in seeds]
        missed, edits = ([100 * getattr(one, figure) for one in shares] for figure in ("missed", "edits"))
        medians = _with_range([one.median_delay for one in shares]), statistics.median(one.oracle for one in shares)
        means = _with_range([one.mean_delay for one in shares])
        fetched = [one.fetches for one in shares]
        label = f"{min(fetched):,}" if min(fetched) == max(fetched) else f"{name} makes ({min(fetched):,}-{max(fetched):,})"
        lines.append(
            f"| {label} | {medians[0]} | {medians[1]:.2f} | {means} | {_with_range(missed, '+.2f')} | {_with_range(edits, '+.1f')} |"
        )
    return "\n".join([*lines, "", _behind([share for one in seeds for share in one.values()])])


def _with_range(values: Sequence[float], form: str = ".2f") -> str:
    return f"{statistics.median(values):{form}} ({min(values):{form}} to {max(values):{form}})"


def _behind(cases: Sequence[Shares]) -> str:
    """In how many cases crawlhouse is behind the best peer, by figure."""
    later = sum(one.median_delay > 1 for one in cases), sum(one.mean_delay > 1 for one in cases)
    enough = [one for one in cases if one.fetches >= ENOUGH_FOR_EDITS]
    return (
        f"Not everywhere ahead: of {len(cases)} cases, the median is later than the best peer's in {later[0]}, the mean in {later[1]}, "
        f"and more stories are missed in {sum(one.missed > 0 for one in cases)}. From {ENOUGH_FOR_EDITS:,} fetches on, the edits are "
        f"behind Nutch's rule in {sum(one.edits < 0 for one in enough)} of {len(enough)} cases."
    )


def _compare_all(seeds: Sequence[int], site_pages: float, processes: int) -> list[dict[str, Shares]]:
    """Print the tables of all seeds, each as soon as it and those before it are complete."""
    if processes == 1:
        return [compare(seed, site_pages=site_pages) for seed in seeds]
    shares = []
    with ProcessPoolExecutor(processes) as pool:
        for text, one in pool.map(_compare_quietly, seeds, repeat(site_pages)):
            print(text, end="", flush=True)
            shares.append(one)
    return shares


def _compare_quietly(seed: int, site_pages: float) -> tuple[str, dict[str, Shares]]:
    with contextlib.redirect_stdout(io.StringIO()) as text:
        shares = compare(seed, site_pages=site_pages)
    return text.getvalue(), shares


def main(arguments: list[str] | None = None) -> int:
    """Print a table per seed and budget, then medians and ranges over the seeds, then the sites with real times if there are any."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", "--seeds", dest="seeds", type=int, nargs="+", default=list(EVALUATION_SEEDS), help="other sites")
    parser.add_argument("--bench", type=Path, default=Path(os.environ.get("CRAWLHOUSE_BENCH_DIR", "../shared/bench")), help="real pages")
    parser.add_argument("--site-pages", type=float, default=math.inf, help="pages that a crawl can fetch from one site at each tick")
    parser.add_argument("--processes", type=int, default=1, help="seeds that are simulated at the same time")
    given = parser.parse_args(arguments)
    shares = _compare_all(given.seeds, given.site_pages, given.processes)
    print(f"\nseeds {', '.join(map(str, given.seeds))}: median (and range) of {len(shares)}\n\n{readme_table(shares)}")
    if not given.bench.is_dir():
        print(f"\nReal publication times are left out: there is no folder {given.bench}.")
        return 0
    print("\nreal publication times, made-up sources and edits")
    compare(given.seeds[0], lambda seed: real_sites(given.bench, seed), (10_000, 20_000), given.site_pages)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
