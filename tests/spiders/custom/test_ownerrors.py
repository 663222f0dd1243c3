"""When a user's spider breaks: what is counted, what comes again, and what turns the run red."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from schemas.config.settings import Settings
from schemas.errors import SpiderError, ThresholdError
from tests.spiders.crawling import outcomes
from tests.spiders.owncrawls import items_of, run
from tests.spiders.smallserver import Headers, SmallServer, small_server


def with_etag(path: str, times: int) -> tuple[int, Headers, bytes]:
    return (
        (404, {}, b"")
        if "." in path
        else (200, {"ETag": '"same"', "Content-Type": "text/html; charset=utf-8"}, f"<p>{path} \x1b]0;pwned\x07 \u202e".encode())
    )


def test_a_callback_that_breaks_is_counted_and_its_page_comes_again(
    at: Callable[[SmallServer], None], settings: Settings, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    with small_server(with_etag) as server:
        at(server)
        done = run("Clumsy", server, settings)
        broken = {f"{server.base}/page/{number}" for number in (1, 3, 5)}
        assert {url for url, became in done.outcomes.items() if became == "failed:callback_error"} == broken
        assert {row.url for row in done.rows} >= broken
        assert (done.manifest.counts.fetched, done.manifest.counts.failed) == (3, 3)
        assert done.manifest.statistics.callback_errors == {"parse: KeyError": 3}
        assert sorted(one["item"]["number"] for one in items_of(done.manifest, settings)) == [0, 1, 2, 3, 4, 5]
        said = capfd.readouterr().err
        assert "parse of Clumsy failed at" in said
        assert "KeyError: 'price'" in said
        assert r"no price in <p>/page/1 \x1b]0;pwned\x07 \u202e" in said  # what a page says does not act on who reads the log
        assert not {"\x1b", "\x07", "\u202e"} & set(said)
        assert (
            "custom_settings['ROBOTSTXT_OBEY'] of Clumsy has no effect in crawlhouse. Say it in the crawl's YAML: politeness.robots" in said
        )

        monkeypatch.setenv("OWN_SPIDER_REPAIRED", "1")
        server.asked.clear()
        again = run("Clumsy", server, settings)
    assert {one.path for one in server.asked if one.path.startswith("/page/")} >= {"/page/1", "/page/3", "/page/5"}
    assert not [one for one in server.asked if one.path[-1] in "135" and "If-None-Match" in one.headers]
    assert not again.manifest.statistics.callback_errors
    assert {outcomes(settings)[url] for url in broken} == {"fetched"}


def test_broken_callbacks_can_turn_the_run_red(at: Callable[[SmallServer], None], sqlite_settings: Settings) -> None:
    with small_server(with_etag) as server:
        at(server)
        with pytest.raises(ThresholdError, match=r"3 of 6 fetches failed.*failed by callback_error \(3\) of its 6 URLs"):
            run("Clumsy", server, sqlite_settings, "thresholds: {max_error_rate: 0.4}")


def test_a_start_that_breaks_turns_the_run_red(at: Callable[[SmallServer], None], sqlite_settings: Settings) -> None:
    with small_server(with_etag) as server:
        at(server)
        with pytest.raises(SpiderError, match="start of BrokenStart failed: LookupError: no list today"):
            run("BrokenStart", server, sqlite_settings)


def test_a_spider_may_end_its_run(at: Callable[[SmallServer], None], sqlite_settings: Settings) -> None:
    with small_server(with_etag) as server:
        at(server)
        done = run("Enough", server, sqlite_settings)
    assert done.manifest.finish_reason == "spider:enough"
    assert done.manifest.counts.left_over > 0
