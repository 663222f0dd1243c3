"""A crawl run against the demo's own process: everything captured once, the books balanced, a second run that stores little."""

from collections import Counter

import pytest

from schemas.config.crawl import Crawl
from schemas.config.crawl_file import parse_crawl
from schemas.config.settings import Settings
from schemas.errors import NotFoundError, ThresholdError
from schemas.manifest import Manifest
from spiders.run import close, crawl_once, fetch, plan
from storage.frontier.frontier import open_frontier
from storage.index.rows import CaptureRow, read_index
from storage.ledger.ledger import open_ledger
from storage.objects.open import open_store
from storage.warc.reader import read_records
from tests.demosite import DemoSite

pytestmark = [pytest.mark.xdist_group("demo"), pytest.mark.servers_in_chaos]


def demo_crawl(site: DemoSite, extra: str = "", allow: str = "127.0.0.1/32") -> Crawl:
    text = f"""
seeds: [{site.bases[0]}/, {site.bases[1]}/]
network: {{allow: [{allow}]}}
politeness: {{delay: 0, concurrency_per_host: 4}}
revisit: {{feeds_max: 0, sitemaps_max: 0, hubs_max: 0, articles_min: 0, articles_max: 0}}
{extra}
"""
    return parse_crawl(text, "demo")


def rows_of(manifest: Manifest, settings: Settings) -> list[CaptureRow]:
    store = open_store(settings)
    return [row for segment in manifest.segments for row in read_index(store.get_bytes(segment.index_key))]


def test_a_whole_site_once_and_then_only_what_changed(demo_site: DemoSite, settings: Settings) -> None:
    crawl = demo_crawl(demo_site)
    manifest = crawl_once(crawl, settings)
    assert manifest.finish_reason == "finished"
    assert manifest.counts.balanced()
    assert manifest.counts.fetched > 300
    rows = rows_of(manifest, settings)
    assert {row.kind for row in rows} == {"page", "feed", "sitemap", "robots"}
    assert max(Counter(row.url for row in rows).values()) == 1
    redirects_out_of_scope = manifest.reasons["filtered:out_of_scope"]
    assert sum(row.kind != "robots" for row in rows) == manifest.counts.fetched + redirects_out_of_scope
    store = open_store(settings)
    for segment in manifest.segments:
        with store.open(segment.warc_key) as stream:
            assert len(list(read_records(stream, segment.warc_key))) == segment.records

    again = crawl_once(crawl, settings)
    kinds = Counter(row.record_type for row in rows_of(again, settings))
    assert again.counts.fetched >= manifest.counts.fetched * 0.9
    assert kinds["response"] < manifest.counts.fetched * 0.1


def test_planning_and_closing_are_done_once(demo_site: DemoSite, sqlite_settings: Settings) -> None:
    crawl = demo_crawl(demo_site, "budgets: {max_pages: 20}")
    run = plan(crawl, "a day", sqlite_settings)
    assert plan(crawl, "a day", sqlite_settings) == run
    statistics = fetch(run.crawl_run, "w1", sqlite_settings)
    assert statistics.finish_reason == "budget:max_pages"
    manifest = close(run.crawl_run, sqlite_settings)
    assert close(run.crawl_run, sqlite_settings) == manifest
    assert manifest.finish_reason == "budget:max_pages"
    assert manifest.counts.fetched == 20
    assert manifest.counts.left_over > 0
    assert fetch(run.crawl_run, "w1", sqlite_settings).finish_reason == "closed"
    assert open_ledger(sqlite_settings).closed_unpublished("demo") == [run.crawl_run]


def test_loopback_is_refused_unless_the_yaml_allows_it(demo_site: DemoSite, sqlite_settings: Settings) -> None:
    manifest = crawl_once(demo_crawl(demo_site, allow="127.0.0.2/32"), sqlite_settings)
    assert manifest.counts.model_dump() == {"due": 2, "fetched": 0, "denied": 2, "failed": 0, "filtered": 0, "left_over": 0}
    assert manifest.reasons == {"denied:private_address": 2}
    assert manifest.segments == ()


def test_a_missed_threshold_says_why(demo_site: DemoSite, sqlite_settings: Settings) -> None:
    crawl = demo_crawl(demo_site, "thresholds: {min_pages: 5}", allow="127.0.0.2/32")
    with pytest.raises(
        ThresholdError, match=r"fetched 0 pages.*Worst was 127\.0\.0\.1:\d+: denied by private_address \(1\) of its 1 URL[.,]"
    ):
        crawl_once(crawl, sqlite_settings)
    assert len(open_ledger(sqlite_settings).crawl_runs("demo", state="closed")) == 1


def test_two_workers_share_a_run(demo_site: DemoSite, settings: Settings) -> None:
    manifest = crawl_once(demo_crawl(demo_site, "workers: 2"), settings)
    assert manifest.counts.balanced()
    assert manifest.counts.fetched > 300
    assert max(Counter(row.url for row in rows_of(manifest, settings) if row.kind != "robots").values()) == 1


def test_an_unknown_run_is_not_found(sqlite_settings: Settings) -> None:
    with pytest.raises(NotFoundError, match="no-such-run"):
        fetch("no-such-run", "w1", sqlite_settings)


def test_nothing_stays_in_the_spool_but_files(sqlite_settings: Settings) -> None:
    """A worker takes its empty folder away; those of workers that died go when the run is closed, unless something is in them."""
    crawl = parse_crawl("seeds: [https://a.example/]\nnetwork: {proxy: 'http://127.0.0.1:9'}\nbudgets: {max_retries: 0}", "news")
    spool = sqlite_settings.home / "spool"
    run = plan(crawl, "k", sqlite_settings).crawl_run
    fetch(run, "ended", sqlite_settings)
    assert not list(spool.iterdir())

    frontier = open_frontier(sqlite_settings)
    for worker in ("dead", "dead-with-pages"):
        frontier.join(run, worker)
        (spool / run / worker).mkdir(parents=True)
    frontier.close()
    kept = spool / run / "dead-with-pages" / "some.warc.gz"
    kept.write_bytes(b"a capture")
    close(run, sqlite_settings)
    assert [path for path in spool.rglob("*") if path.is_file() or not list(path.iterdir())] == [kept]

    kept.unlink()
    close(run, sqlite_settings)
    assert not list(spool.iterdir())
