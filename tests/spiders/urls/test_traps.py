"""Traps are recognised, real sites are not taken for one."""

import json
import os
from datetime import date, timedelta
from pathlib import Path

import pytest

from spiders.urls.session_ids import is_session_parameter, without_path_session
from spiders.urls.traps import (
    MAX_LISTINGS_BY_DATE,
    MAX_PARAMETER_COMBINATIONS,
    MAX_TRACKED_HOSTS,
    MAX_TRACKED_KEYS,
    MIN_PREFIX_PAGES,
    HostUrlCounts,
    TrapDetector,
    trap_by_shape,
)
from tests import PROJECT

TODAY = date(2026, 11, 22)
BENCH = Path(os.environ.get("CRAWLHOUSE_BENCH_DIR", PROJECT.parent / "shared" / "bench"))


@pytest.mark.parametrize(
    "path",
    [
        "/news/news/news/",
        "/a/news/archive/news/archive/news/archive/",
        "/news/x/news/archive/y/news/z/news/",
        "/" + "/".join(f"s{n}" for n in range(40)),
        "/list?colour=red&colour=blue&colour=red&colour=green",
        "/list?" + "&".join(f"p{n}=1" for n in range(40)),
        "/calendar/2031-05",
        "/calendar/2031/05/17/",
        "/events?month=2040-01",
        "/events?from=2040-01-31T00:00",
        "/events?year=2099&month=3",
    ],
)
def test_endless_shapes(path: str) -> None:
    assert trap_by_shape("https://example.com" + path, TODAY)


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/2026/11/11/11-dead-after-storm",
        "/11/11/11/11/11",
        "/1851/09/18/archives/first-issue.html",
        "/2027/06/01/festival",
        "/2609-2/",
        "/article/3834/1",
        "/article/20991231",
        "/agenda/2030-01-goals-and-what-they-mean",
        "/list?ids[]=1&ids[]=2&ids[]=3&ids[]=4&ids[]=5",
        "/news/local/news-from-the-harbour/news",
        "/en/us/en/article",
        "/index.php?option=com_content&view=article&id=75&Itemid=3",
        "/?p=2040",
        "/events?year=0",
    ],
)
def test_shapes_of_real_sites(path: str) -> None:
    assert trap_by_shape("https://example.com" + path, TODAY) is None


def test_no_page_of_the_benchmarks_is_a_trap() -> None:
    files = sorted(BENCH.glob("*.jsonl"))
    if not files:
        pytest.skip(f"no benchmark pages in {BENCH}")
    lines = [json.loads(line) for path in files for line in path.read_bytes().splitlines()]
    urls = {line["url"] for line in lines if line.get("url")}
    assert len(urls) > 1_000
    watch = TrapDetector(20_000)
    assert {url: reason for url in urls if (reason := watch.trap_reason(0, url, False, TODAY))} == {}


def test_a_calendar_ends_and_articles_by_date_do_not() -> None:
    traps = HostUrlCounts(10_000)
    days = [TODAY - timedelta(days=n) for n in range(2_000)]
    assert not any(traps.count(f"https://example.com/news/{day:%Y/%m/%d}/a-story-of-that-day") for day in days)
    judged = [traps.count(f"https://example.com/events/{day:%Y/%m/%d}/") for day in days]
    assert [bool(reason) for reason in judged] == [False] * MAX_LISTINGS_BY_DATE + [True] * (2_000 - MAX_LISTINGS_BY_DATE)
    by_query = HostUrlCounts(10_000)
    assert sum(by_query.count(f"https://example.com/events?date={day}") is None for day in days) == MAX_LISTINGS_BY_DATE


def test_combinations_of_parameters_end_and_ids_do_not() -> None:
    traps = HostUrlCounts(1_000_000)
    assert not any(traps.count(f"https://example.com/index.php?option=content&view=article&id={n}&page=2") for n in range(3_000))
    names = "abcdefgh"
    combinations = ["&".join(f"{name}=1" for place, name in enumerate(names) if mask >> place & 1) for mask in range(1, 256)]
    several = [query for query in combinations if "&" in query]
    kept = [query for query in several if traps.count(f"https://example.com/list?{query}") is None]
    assert len(kept) == MAX_PARAMETER_COMBINATIONS


def test_a_directory_ends() -> None:
    traps = HostUrlCounts(0)
    assert sum(traps.count(f"https://example.com/tag/{n}") is None for n in range(MIN_PREFIX_PAGES + 50)) == MIN_PREFIX_PAGES
    assert traps.count("https://example.com/other/1") is None


def test_a_trusted_url_is_no_trap_by_number() -> None:
    watch = TrapDetector(0)
    urls = [f"https://example.com/tag/{n}" for n in range(MIN_PREFIX_PAGES + 1)]
    assert [watch.trap_reason(1, url, False, TODAY) is None for url in urls][-1] is False
    assert watch.trap_reason(1, "https://example.com/tag/story", True, TODAY) is None
    assert watch.trap_reason(2, "https://example.com/tag/story", False, TODAY) is None
    assert watch.trap_reason(1, "https://example.com/a/a/a/a/", True, TODAY)


def test_memory_is_bounded() -> None:
    traps = HostUrlCounts(10)
    for n in range(MAX_TRACKED_KEYS * 3):
        traps.count(f"https://example.com/d{n}/2026/05/?a={n}&date=2026-01-01&b{n}=1")
    assert max(len(traps._pages), len(traps._listings), len(traps._combinations)) <= MAX_TRACKED_KEYS
    watch = TrapDetector(10)
    for host in range(MAX_TRACKED_HOSTS * 2):
        watch.trap_reason(host, "https://example.com/", False, TODAY)
    assert len(watch._hosts) <= MAX_TRACKED_HOSTS


def test_session_ids() -> None:
    sha = "da39a3ee5e6b4b0d3255bfef95601890afd80709"
    assert is_session_parameter("PHPSESSID", "anything")
    assert is_session_parameter("sid", sha)
    assert is_session_parameter("s", "b4k2h5j7k8m9n1p3q5r7s9t1v3w5")
    assert not is_session_parameter("sid", "4711")
    assert not is_session_parameter("s", "harbour regatta results of the year")
    assert not is_session_parameter("s", "donaudampfschiffahrtsgesellschaft")
    assert not is_session_parameter("id", sha)
    assert without_path_session("/offers;jsessionid=A1B2C3/list") == "/offers/list"
    assert without_path_session("/(S(lit3py55t21z5v55vlm25s55))/home.aspx") == "/home.aspx"
    assert without_path_session("/wiki/Foo_(S(x))/") == "/wiki/Foo_(S(x))/"
