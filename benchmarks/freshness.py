"""How soon news and edits are captured at equal numbers of fetches: our revisit policy beside the usual ones, in virtual time.

Thirty days over made-up sites whose publication and edit times are known. Fetches happen only at schedule ticks. Each policy has one
knob, which is turned until it spends the same number of fetches as the others. Last, what nobody can be quicker than: all sources at
every tick.
"""

from __future__ import annotations

import argparse
import heapq
import math
import statistics
from collections.abc import Callable
from dataclasses import dataclass

from benchmarks.newssites import DAYS, SITES, Site, Source, Story, make_sites
from benchmarks.revisitpolicies import FixedAll, FixedSources, NewsCrawl, Nutch, Ours, Policy
from spiders.schedule.revisit import Visit

TICK_HOURS = 0.25
SEED = 1
WARM_UP_HOURS = 3 * 24.0
BUDGETS = (30_000, 53_000, 80_000)
POLICIES = (FixedAll, FixedSources, Nutch, NewsCrawl, Ours)
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


class Simulation:
    """One policy over the sites: at each tick the due URLs are fetched in the order of their due times."""

    def __init__(self, sites: list[Site], policy: Policy) -> None:
        self.sites = sites
        self.policy = policy
        self.fetches = 0
        self.due: dict[int, float] = {}
        self.queue: list[tuple[float, int, Source | Story]] = []
        self.seen: dict[int, int] = {}

    def run(self, most: int) -> Result:
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
        while self.queue and self.queue[0][0] <= now:
            due, key, thing = heapq.heappop(self.queue)
            if self.due[key] != due:  # a hint moved it since
                continue
            if isinstance(thing, Story):
                self._fetch_story(thing, now)
            else:
                self._fetch_source(thing, now)

    def _fetch_story(self, story: Story, now: float) -> None:
        self.fetches += 1
        version = sum(edit <= now for edit in story.edits)
        if story.captured is None:
            story.captured = now
        else:
            story.delays += [now - edit for edit in story.edits[story.versions : version]]
        changed = story.versions != version
        story.fetched, story.versions = now, version
        if self.policy.revisits_articles:
            self._schedule(story, max(self.policy.next_due(story, Visit(now, changed=changed)), now + 1e-9))

    def _fetch_source(self, source: Source, now: float) -> None:
        self.fetches += 1
        visible = source.visible(now)
        new = [story for story in visible if story.captured is None]
        hinted = self.policy.hinted(source, [story for story in visible if story.captured is not None], now)
        for story in [*new, *hinted]:
            self._fetch_story(story, now)
        newest = visible[-1].key if visible else 0
        changed, self.seen[source.key] = self.seen.get(source.key, 0) != newest, newest
        times = [story.published for story in visible] if source.dated else []
        visit = Visit(now, changed=changed, new_items=len(new), item_times=times)
        self._schedule(source, max(self.policy.next_due(source, visit), now + 1e-9))


def simulate(policy: Policy, seed: int = SEED, most: int = 10**9) -> Result:
    """One policy over fresh sites, broken off where it has spent more than `most` fetches."""
    return Simulation(make_sites(seed), policy).run(most)


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


def at_equal_fetches(policy: Callable[[float], Policy], budget: int, seed: int = SEED) -> Result:
    """Turn the policy's knob (larger means fewer fetches) until it spends the budget, as nearly as it can."""
    low, high = 0.02, 2e3
    best: Result | None = None
    for _ in range(14):
        middle = math.sqrt(low * high)
        result = simulate(policy(middle), seed, 2 * budget)
        if best is None or abs(result.fetches - budget) < abs(best.fetches - budget):
            best = result
        if abs(result.fetches - budget) < 0.01 * budget:
            break
        low, high = (middle, high) if result.fetches > budget else (low, middle)
    assert best is not None
    return best


def compare(seed: int) -> dict[str, float]:
    """Prints a seed's table per budget; our median delay as a share of the best peer's, by the budget's name."""
    stories = sum(len(site.stories) for site in make_sites(seed))
    print(f"\nseed {seed}: {SITES} sites, {stories} stories, {DAYS} days, ticks of {TICK_HOURS * 60:.0f} minutes; hours")
    as_published = simulate(NewsCrawl(1.0), seed).fetches
    ratios: dict[str, float] = {}
    for name, budget in {"as news-crawl": as_published, **{str(budget): budget for budget in BUDGETS}}.items():
        print(f"\n{budget} fetches{': what news-crawl spends by its own settings' if budget == as_published else ''}\n{HEADER}")
        results = {policy: at_equal_fetches(policy, budget, seed) for policy in POLICIES}
        for policy, result in results.items():
            print(result.line(policy.name))
        ratios[name] = results[Ours].median_delay / min(result.median_delay for policy, result in results.items() if policy is not Ours)
        print(f"our median delay: {ratios[name]:.2f} of the best peer's", flush=True)
    print(f"\nthe limit: every source at every tick\n{HEADER}\n{simulate(FixedSources(TICK_HOURS), seed).line('no delay but the tick')}")
    return ratios


def main(arguments: list[str] | None = None) -> int:
    """Prints a table per seed and budget, and the median over the seeds."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", "--seeds", dest="seeds", type=int, nargs="+", default=[SEED], help="other sites")
    ratios = [compare(seed) for seed in parser.parse_args(arguments).seeds]
    print(f"\nour median delay as a share of the best peer's, median of {len(ratios)} seeds")
    for name in ratios[0]:
        print(f"{name:>14} fetches: {statistics.median(one[name] for one in ratios):.2f}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
