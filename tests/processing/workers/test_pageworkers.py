"""A hostile page is lost alone: the pages before and after it are read, in order."""

import os
from collections.abc import Iterator

import pytest

from processing.workers.pool import Exceeded, Limits, kept_workers, read_pages, run_limited
from schemas.article import Article, PageType
from schemas.errors import ConfigError
from schemas.outcomes import Reason, Rejected
from schemas.page import Page, WarcPointer

MIB = 1024 * 1024
LIMITS = Limits(seconds=2.0, memory_bytes=256 * MIB)
MISBEHAVE = "tests.processing.pagefunctions.misbehave"
READ = "tests.processing.pagefunctions.read"


def pages(*htmls: str) -> list[Page]:
    return [
        Page(url=f"https://a.example/{number}", html=html, pointer=WarcPointer("x.warc.gz", number)) for number, html in enumerate(htmls)
    ]


@pytest.mark.parametrize(
    ("hostile", "reason", "detail"),
    [
        ("hang", Reason.PAGE_TIMEOUT, "more than 2 seconds"),
        ("spin", Reason.PAGE_TIMEOUT, "more than 2 seconds"),
        ("eat", Reason.PAGE_MEMORY, "more than 256 MiB"),
        ("segfault", Reason.PAGE_CRASH, "signal 11"),
        ("exit", Reason.PAGE_CRASH, "exited with 3"),
        ("raise", Reason.PAGE_CRASH, "ValueError: no such luck"),
        ("recurse", Reason.PAGE_CRASH, "RecursionError"),
        ("forge", Reason.PAGE_CRASH, "its worker wrote not a result"),
    ],
)
def test_a_hostile_page_affects_no_other(hostile: str, reason: Reason, detail: str) -> None:
    given = pages("a", "b", hostile, "c", "d")
    results = list(read_pages(given, MISBEHAVE, workers=1, limits=LIMITS))
    assert [page for page, _ in results] == given
    found = [answer for _, answer in results]
    assert [type(answer) for answer in found] == [Article, Article, Rejected, Article, Article]
    rejected = found[2]
    assert isinstance(rejected, Rejected)
    assert (rejected.url, rejected.warc_filename, rejected.warc_record_offset) == ("https://a.example/2", "x.warc.gz", 2)
    assert (rejected.stage, rejected.reason) == ("extract", reason)
    assert detail in rejected.detail


def test_many_hostile_pages_among_many_and_two_workers() -> None:
    kinds = ["a", "segfault", "b", "exit", "eat", "c", "raise", "print"] * 4
    results = [answer for _, answer in read_pages(pages(*kinds), MISBEHAVE, workers=2, limits=LIMITS)]
    for kind, answer in zip(kinds, results, strict=True):
        assert isinstance(answer, Article if kind in {"a", "b", "c", "print"} else Rejected)
        if isinstance(answer, Article):
            assert str(answer.title).startswith(kind)


def test_streams_with_bounded_memory() -> None:
    taken = 0

    def endless() -> Iterator[Page]:
        nonlocal taken
        while True:
            taken += 1
            yield Page(url=f"https://a.example/{taken}", html="a")

    results = read_pages(endless(), MISBEHAVE, workers=2, limits=LIMITS)
    for _ in range(100):
        next(results)
    results.close()  # type: ignore[attr-defined]
    assert taken < 400


def test_workers_are_recycled_and_nothing_is_lost() -> None:
    given = pages(*["a"] * 100)
    limits = Limits(seconds=20, memory_bytes=256 * MIB, pages_per_worker=20)
    titles = [answer.title for _, answer in read_pages(given, MISBEHAVE, workers=2, limits=limits) if isinstance(answer, Article)]
    assert len(titles) == 100
    assert len(set(titles)) >= 3


def test_idle_workers_are_kept_for_the_next_call_inside_the_block() -> None:
    def process_ids(*htmls: str) -> set[str]:
        found = (answer for _, answer in read_pages(pages(*htmls), MISBEHAVE, workers=1, limits=LIMITS))
        return {str(answer.title).split()[1] for answer in found if isinstance(answer, Article)}

    with kept_workers():
        first = process_ids("a", "b")
        assert process_ids("c") == first
        assert process_ids("exit") == set()
        second = process_ids("d")
        assert second != first
    for process_id in first | second:
        with pytest.raises(ProcessLookupError):
            os.kill(int(process_id), 0)


def test_no_items() -> None:
    assert list(read_pages([], MISBEHAVE, workers=2)) == []


def test_a_result_that_cannot_be_sent() -> None:
    ((_, answer),) = run_limited(pages("a"), "tests.processing.pagefunctions.unpicklable", workers=1, limits=LIMITS)
    assert isinstance(answer, Exceeded)
    assert answer.reason is Reason.PAGE_CRASH


def test_a_function_that_does_not_exist() -> None:
    with pytest.raises(ConfigError, match=r"cannot import 'tests\.processing\.nowhere\.read'"):
        list(read_pages(pages("a"), "tests.processing.nowhere.read", workers=1, limits=LIMITS))


HOSTILE = {
    "nested divs": "<div>" * 100_000 + "deep",
    "nested divs, closed": "<div>" * 100_000 + "deep" + "</div>" * 100_000,
    "50 MB": "<p>" + "word " * 10_000_000,
    "attributes": "<div " + " ".join(f"a{i}='{'x' * 50}'" for i in range(100_000)) + ">x</div>",
    "one attribute": f"<div class='{'author date byline ' * 400_000}'>x</div>",
    "spaces": "<title>" + " " * 5_000_000 + "|</title><h1>" + "- " * 500_000 + "</h1>",
    "nulls": "<p>a\x00b</p>" * 100_000,
    "a table": "<table>" + "<tr><td colspan=1000 rowspan=65534><table>" * 3_000,
    "json": "<script type='application/ld+json'>" + "[" * 500_000 + "</script>",
    "json objects": '<script type="application/ld+json">' + '{"@type":"Article","author":' * 100_000 + "</script>",
    "times": "<time datetime='2024-01-01'>1 January 2024</time>" * 50_000,
    "byline": "<h1>x</h1><p class=byline>By " + "and , " * 200_000 + "</p>",
    "open tags": "<a<b<i<" * 100_000,
    "formatting": "<b><i><font>" * 5_000 + "<p>" * 5_000,
    "entities": "&amp;" * 1_000_000,
}


@pytest.mark.chaos
def test_pages_of_an_attacker() -> None:
    """Each is read in time or rejected for the limit that it exceeded, and the plain page between any two is read."""
    htmls = [html for hostile in HOSTILE.values() for html in (hostile, "<h1>Fine</h1><p>text</p>")]
    results = [answer for _, answer in read_pages(pages(*htmls), READ, workers=2, limits=Limits(seconds=10))]
    assert all(isinstance(answer, Article) and answer.title == "Fine" for answer in results[1::2])
    refused = {name: answer for name, answer in zip(HOSTILE, results[::2], strict=True) if isinstance(answer, Rejected)}
    assert {answer.reason for answer in refused.values()} <= {Reason.PAGE_TIMEOUT, Reason.PAGE_MEMORY, Reason.PAGE_CRASH}
    assert set(refused) <= {"nested divs", "nested divs, closed", "50 MB", "attributes"}, refused
    assert all(answer.page_type is not PageType.ARTICLE for answer in results[::2] if isinstance(answer, Article) and answer.title is None)
