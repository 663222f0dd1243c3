"""Opt-outs, takedowns and traps, end to end: a worker's process against the demo's."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from schemas.config.settings import Settings
from storage.lake.takedown import add_takedowns, remove_takedown
from storage.objects.open import open_store
from tests.demosite import DemoSite, run_demo_site
from tests.spiders.crawling import crawl_urls

pytestmark = pytest.mark.xdist_group("demo")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DemoSite]:
    """One demo site for all tests here: none of them moves its clock."""
    home: Path = tmp_path_factory.mktemp("demo")
    with run_demo_site(home / "demo", "--odd") as running:
        yield running


RESERVED = ("noarchive", "unavailable", "tdm-header", "tdm-meta", "tdm-file", "noarchive-ours")


def odd(site: DemoSite, *names: str) -> list[str]:
    return [f"{site.bases[0]}/odd/{name}" for name in names]


def test_opt_outs_are_obeyed(site: DemoSite, sqlite_settings: Settings) -> None:
    seeds = odd(site, *RESERVED, "noindex", "nofollow", "noarchive-other")
    crawled = crawl_urls(sqlite_settings, seeds, "scope: {sitemaps: false}")
    expected = dict.fromkeys(odd(site, *RESERVED), "denied:opted_out")
    expected |= dict.fromkeys(odd(site, "noindex", "nofollow", "noarchive-other"), "fetched")
    assert crawled.outcomes == expected
    pages = {row.url for row in crawled.rows if row.kind != "robots"}
    assert pages == set(odd(site, "noindex", "nofollow", "noarchive-other"))
    assert crawled.manifest.reasons == {"denied:opted_out": len(RESERVED)}


def test_opt_outs_are_only_recorded_where_the_yaml_says_so(site: DemoSite, sqlite_settings: Settings) -> None:
    seeds = odd(site, *RESERVED, "nofollow")
    crawled = crawl_urls(sqlite_settings, seeds, "scope: {sitemaps: false}", politeness="delay: 0, opt_outs: record")
    assert set(seeds) <= crawled.archived()
    assert crawled.outcomes[odd(site, "followed")[0]] == "fetched"
    assert not any(url.endswith("tdmrep.json") for url in crawled.archived())


def test_what_is_taken_down_is_never_fetched(site: DemoSite, sqlite_settings: Settings) -> None:
    store = open_store(sqlite_settings)
    one, two, three = odd(site, "noindex", "followed", "twice")
    add_takedowns(sqlite_settings, store, [one, f"{site.bases[0]}/odd/fol*"])
    crawled = crawl_urls(sqlite_settings, [one, two, three], "scope: {sitemaps: false, follow_links: false}\nrevisit: {articles_min: 0}")
    assert crawled.outcomes == {one: "denied:takedown", two: "denied:takedown", three: "fetched"}
    assert crawled.archived().isdisjoint({one, two})
    remove_takedown(sqlite_settings, store, one)
    host = site.bases[0].removeprefix("http://")
    add_takedowns(sqlite_settings, store, [host])
    again = crawl_urls(sqlite_settings, [one, three])
    assert not again.rows


def test_only_pages_are_kept_unless_the_yaml_says_so(site: DemoSite, sqlite_settings: Settings) -> None:
    pdf, image = odd(site, "pdf", "image")
    crawled = crawl_urls(sqlite_settings, [pdf, image], "scope: {sitemaps: false, keep_types: [application/pdf]}")
    assert crawled.outcomes == {pdf: "fetched", image: "filtered:unsupported_type"}
    assert crawled.archived() & {pdf, image} == {pdf}


def test_traps_end(site: DemoSite, sqlite_settings: Settings) -> None:
    seeds = odd(site, "session", "repeat/", "facets", "calendar/2199-01")
    politeness = "delay: 0, concurrency_per_host: 4"
    crawled = crawl_urls(sqlite_settings, seeds, "scope: {sitemaps: false, feeds: false, max_depth: 1000}", politeness)
    assert crawled.manifest.finish_reason == "finished"
    trapped = Counter(_trap(url) for url, what in crawled.outcomes.items() if what == "filtered:trap")
    fetched = Counter(_trap(url) for url, what in crawled.outcomes.items() if what == "fetched")
    assert set(trapped) == {"calendar", "repeat", "facets"}
    assert fetched["session"] == 2
    assert fetched["repeat"] < 100
    assert fetched["facets"] < 200


def _trap(url: str) -> str:
    return url.split("/odd/")[1].split("/", maxsplit=1)[0].split("?", maxsplit=1)[0]
