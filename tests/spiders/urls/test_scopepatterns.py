"""Patterns of a crawl's scope and of its browser: hostile ones cost a bounded time, and what they cannot decide is left alone."""

from __future__ import annotations

import time

import pytest

from schemas.capture import UrlKind
from schemas.config.crawl_file import parse_crawl
from spiders.browser.browser import PageBrowser
from spiders.urls.scope import CrawlScope

EVIL = "https://a.example/" + "a" * 1900 + "!"
CPU_SECONDS = 20.0  # without a bound each of the patterns takes hours
TEXT = "seeds: [https://a.example/]\nscope: {{include: {}, exclude: {}}}\nbrowser: {{pages: {}}}\n"


@pytest.mark.parametrize("pattern", ["(a+)+$", "(?!x)(a|aa)+$", "(?=h)(.*a){20}$"])
def test_a_pattern_without_end_is_bounded(pattern: str) -> None:
    only = CrawlScope(parse_crawl(TEXT.format([pattern], [], []), "news"))
    but = CrawlScope(parse_crawl(TEXT.format([], [pattern], []), "news"))
    rendered = PageBrowser(parse_crawl(TEXT.format([], [], [pattern]), "news"), None)  # type: ignore[arg-type]
    started = time.process_time()
    for number in range(300):
        assert not only.covers(f"{EVIL}{number}!", UrlKind.PAGE, 1)
        assert not rendered.should_render(f"{EVIL}{number}!")
        but.covers(f"{EVIL}{number}!", UrlKind.PAGE, 1)
        assert but.covers(f"https://a.example/{number}.html", UrlKind.PAGE, 1)
    assert time.process_time() - started < CPU_SECONDS


def test_look_around_works_as_before() -> None:
    scope = CrawlScope(parse_crawl(TEXT.format(["^(?!.*/print/).*/news/"], [], []), "news"))
    assert scope.covers("https://a.example/news/1", UrlKind.PAGE, 1)
    assert not scope.covers("https://a.example/news/print/1", UrlKind.PAGE, 1)
