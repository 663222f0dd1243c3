"""The freshness benchmark: unseen seeds, an oracle that no policy beats, and sites with real times."""

from __future__ import annotations

import json
import math
import zipfile
from dataclasses import replace
from pathlib import Path

from benchmarks.freshness import (
    EVALUATION_SEEDS,
    TUNING_SEEDS,
    Result,
    Shares,
    Simulation,
    at_equal_fetches,
    oracle,
    readme_table,
    simulate,
)
from benchmarks.inputs.news_sites import Site, Source, make_sites
from benchmarks.inputs.real_times import real_sites
from benchmarks.peers.revisit_policies import Ours
from spiders.schedule.state import RevisitState


class WithoutModified(Ours):
    """Does not know that pages were modified."""

    def _count_modified(self, source: Source, state: RevisitState, now: float) -> int | None:
        return None


def few_sites(seed: int) -> list[Site]:
    """The quietest sites of a seed."""
    return sorted(make_sites(seed), key=lambda site: len(site.stories))[:12]


def test_figures_do_not_come_from_the_seeds_that_the_policy_was_tuned_on() -> None:
    assert not set(TUNING_SEEDS) & set(EVALUATION_SEEDS)
    assert len(EVALUATION_SEEDS) >= 10


def test_no_policy_beats_the_oracle_and_a_dearer_fetch_is_spent_on_news_rather_than_edits() -> None:
    cheap, dear = (simulate(Ours(price), 1, make=few_sites) for price in (0.5, 6.0))
    for result in (cheap, dear):
        best = oracle(1, result.fetches, few_sites)
        assert best.median_delay < result.median_delay
        assert best.fetches <= 1.05 * result.fetches
    with_edits = oracle(1, cheap.fetches, few_sites, edits=cheap.edits_caught)
    assert with_edits.edits_caught >= cheap.edits_caught - 0.02
    assert with_edits.median_delay < cheap.median_delay
    assert with_edits.fetches <= 1.05 * cheap.fetches
    assert dear.fetches < cheap.fetches
    assert cheap.edits_caught > 0.3
    assert dear.edits_caught < 0.02
    assert dear.missed < 0.2


def test_a_policy_whose_fetches_are_a_step_has_figures_between_its_ends() -> None:
    more, fewer = Result(1200, 1.0, 2.0, 0.0, 3.0, 0.4), Result(800, 3.0, 6.0, 0.1, 5.0, 0.2)
    mixed = at_equal_fetches(lambda knob, most: more if knob < 1.7 else fewer, 1100)
    assert (mixed.fetches, mixed.median_delay, mixed.mean_delay) == (1100, 1.5, 3.0)
    assert math.isclose(mixed.edits_caught, 0.35)
    assert at_equal_fetches(lambda knob, most: more, 1195) is more


def test_the_table_counts_the_cases_in_which_crawlhouse_is_behind() -> None:
    ahead = Shares(0.5, 0.4, -0.01, 0.1, 0.3, 30_000)
    behind = Shares(0.7, 1.4, 0.01, -0.1, 0.3, 40_000)
    scarce = replace(behind, fetches=30_000)
    table = readme_table([{"as many as news-crawl": ahead, "30000": ahead}, {"as many as news-crawl": behind, "30000": scarce}])
    assert "| as many as news-crawl makes (30,000-40,000) | 0.60 (0.50 to 0.70) | 0.30 | 0.90 (0.40 to 1.40) | +0.00 (-1.00 to" in table
    assert "of 4 cases, the median is later than the best peer's in 0, the mean in 2, and more stories are missed in 2." in table
    assert "behind Nutch's rule in 1 of 1 cases" in table


def test_a_limit_of_pages_per_site_delays_edits_before_it_delays_news() -> None:
    free, limited = (simulate(Ours(0.05), 1, make=few_sites, site_pages=pages) for pages in (math.inf, 1))
    assert limited.fetches < free.fetches
    assert limited.median_edit_delay > 2 * free.median_edit_delay
    assert limited.missed <= free.missed + 0.01


def test_a_policy_visits_the_sitemap_that_tells_of_edits() -> None:
    """A site whose feed has all news, but only its sitemap says when they were edited."""
    known, blind = (simulate(policy(1.5), 202, make=lambda seed: make_sites(seed)[:1]) for policy in (Ours, WithoutModified))
    assert known.edits_caught > 1.2 * blind.edits_caught
    assert known.fetches < 1.3 * blind.fetches


def test_real_times_are_read_from_pages_and_sites_run_on_them(tmp_path: Path) -> None:
    times = [f"2025-03-{day:02}T{hour:02}:30:00+01:00" for day in range(1, 29) for hour in (8, 17)]
    with zipfile.ZipFile(tmp_path / "mixed.zip", "w") as pages:
        pages.writestr("a.html", "".join(f"<time datetime='{time}'>then</time>" for time in times))
        pages.writestr("b.html", "<time datetime='2025-03-01T08:00:00Z'>once</time><time datetime='2025-13-41T08:00:00Z'>never</time>")
    rows = [{"member": "a.html", "host": "a.example"}, {"member": "b.html", "host": "b.example"}]
    (tmp_path / "mixed.jsonl").write_text("\n".join(map(json.dumps, rows)))
    (site,) = real_sites(tmp_path, 1)
    assert len(site.stories) == len(times)
    assert {round(story.published % 24, 1) for story in site.stories} == {7.5, 16.5}
    assert Simulation([site], Ours(0.5)).run(10_000).missed < 0.1
    assert real_sites(tmp_path / "absent", 1) == []
