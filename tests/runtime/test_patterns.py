"""Users' patterns match where Python's `re` matches, in limited time."""

from __future__ import annotations

import re
import time
import warnings

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from runtime import patterns
from runtime.patterns import PatternTimeoutError, UrlPattern, url_patterns
from schemas.config.settings import Settings
from storage.database.engine import open_database

PATTERNS = [
    r"/news/",
    r"^https://(www\.)?a\.example/\d{4}/\d\d/",
    r"\.(jpe?g|png|pdf)$",
    r"(?i)/NEWS/",
    r"[?&](print|amp)=",
    r"/(?P<year>20\d\d)/(?:0[1-9]|1[0-2])/",
    r"\bnews\b",
    r"[^/]+\.html\Z",
    r"(?x) /news/  # the news \n",
    r"^(?!.*\.pdf$)",
    r"(?=.*news)(?=.*2024)",
    r"(?<!/)/tag/",
    r"(\d)\1",
    r"n{,2}e",
    r"/{id}/",
    r"/{e<=1}/",
    r"[[:alpha:]]",
    r"[{,3}]",
    r"\{,2}",
    r"\\{2,}",
    r"x{1001}",
    r"(?>a+)b",
    r"a*+b",
    r"\u00e9|é",
    r"(?a)\w+",
    r"",
    r"[]a]",
    r"\101",
    r"%7Bid%7D|\$\{",
]
TEXTS = [
    "https://a.example/",
    "https://www.a.example/2024/05/news/11-aab.html?print=1",
    "http://a.example/NEWS/x.pdf",
    "http://a.example/tag//tag/{id}/{e<=1}/:]",
    "https://a.example/\\{{{,2}nnne/[3]",
    "https://a.example/é/ſ/İ",
    "https://a.example/news/\n",
    "",
]
SLOW = [r"(?!x)(a|aa)+$", r"(?=h)(.*a){20}$", r"(?!x)(?:(?:a+)+b)+$"]
LINEAR = [r"(a+)+$", r"(a|aa)+$", r"(.*a){20}$", r"(x+x+)+y", r"(.*?,){11}P"]
EVIL = "https://a.example/" + "a" * 1900 + "!"
CPU_SECONDS = 20.0  # without a bound each of the patterns takes hours


def found(pattern: str, where: str) -> bool:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        return re.search(pattern, where) is not None


@pytest.mark.parametrize("pattern", PATTERNS)
def test_it_finds_what_re_finds(pattern: str) -> None:
    one = UrlPattern(pattern)
    for where in TEXTS:
        assert one.search(where) == found(pattern, where), where


@pytest.mark.parametrize("pattern", PATTERNS)
def test_it_finds_the_same_on_a_machine_without_re2(pattern: str) -> None:
    one = UrlPattern(pattern)
    one._linear = None
    for where in TEXTS:
        assert one.search(where) == found(pattern, where), where


@settings(max_examples=300, deadline=None)
@given(
    st.lists(st.sampled_from([*"ab/.{}[]()|*+?^$,:12\\-", r"\d", r"\w", r"\b", "(?:", "[^", "{,2}", "{2}", "[:"]), max_size=8).map("".join),
    st.text("ab/.{}[]:,12-A", max_size=20),
)
def test_it_finds_what_re_finds_whatever_the_pattern(pattern: str, where: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        try:
            re.compile(pattern)
        except re.error:
            return
    assert UrlPattern(pattern).search(where) == found(pattern, where)


@pytest.mark.parametrize("pattern", LINEAR)
def test_a_pattern_that_re_never_ends_with_is_linear(pattern: str) -> None:
    started = time.process_time()
    one = UrlPattern(pattern)
    for _ in range(100):
        one.search(EVIL)
    assert time.process_time() - started < CPU_SECONDS


@pytest.mark.parametrize("pattern", SLOW)
def test_a_pattern_that_is_not_linear_is_bounded_and_goes_on_for_other_urls(pattern: str, caplog: pytest.LogCaptureFixture) -> None:
    """A page with very many such links costs less than half a second, and ordinary links are still found."""
    patterns.LOG.disabled = False  # configuring Airflow's logs in the same process turns others off
    patterns._warn.cache_clear()  # another test may have been told of the same one
    started = time.process_time()
    one = UrlPattern(pattern)
    with pytest.raises(PatternTimeoutError):
        one.search(EVIL)
    for number in range(2000):
        assert one.search_or(f"{EVIL}{number}!", default=True)
        assert not one.search_or(f"{EVIL}{number}!", default=False)
        assert one.search_or("https://a.example/aaa", default=False) == found(pattern, "https://a.example/aaa")
    assert time.process_time() - started < CPU_SECONDS
    assert "takes too long" in caplog.text


def test_the_frontier_selects_in_bounded_time(tmp_path_factory: pytest.TempPathFactory) -> None:
    """`crawlhouse frontier --regex` and `--glob` on SQLite."""
    home = Settings(home=tmp_path_factory.mktemp("home"), crawls=tmp_path_factory.mktemp("crawls"), database="")
    database = open_database(home.database_url("frontier"))
    started = time.process_time()
    with database.read() as connection:
        for pattern in (*LINEAR, *SLOW, "^" + ".*a" * 12 + ".*b$"):
            connection.scalar(text("SELECT :url REGEXP :pattern"), {"url": EVIL, "pattern": pattern})
        assert connection.scalar(text("SELECT 'https://a.example/news' REGEXP '/ne.s$'"))
        assert connection.scalar(text("SELECT NULL REGEXP 'a'")) is None
    database.close()
    assert time.process_time() - started < CPU_SECONDS


def test_several_patterns_in_their_order() -> None:
    assert [one.pattern for one in url_patterns(("b", "a"))] == ["b", "a"]
