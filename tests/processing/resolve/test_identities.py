"""Which URL identifies the article of each page: claims that are believed, and those that are not, whatever the order of the pages."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta

import pytest

from processing.clean.identity import claimed_url, page_url, url_id
from processing.clean.minhash import text_signatures
from processing.clean.words import text_digest
from processing.resolve.canonical_counts import CanonicalCounter
from processing.resolve.earlier_rows import EarlierPage, EarlierRows, Text, Version
from processing.resolve.identities import decide_identities
from processing.resolve.records import RecordSummary
from schemas.page import WarcPointer
from tests.cpu import growth
from tests.processing.crawlruns import prose

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
SITE = "https://news.example"


def text(seed: int, other: int = 0, shared: int = 10) -> Text:
    """A text of ten paragraphs; the last `10 - shared` of them are those of another seed."""
    told = "\n".join(prose(seed, 10)[:shared] + prose(other, 10)[shared:])
    return Text(text_digest(told), text_signatures([told])[0])


def page(url: str, canonical: str | None, told: Text, number: int = 0) -> RecordSummary:
    return RecordSummary(
        record_id=("warc/news/run-1/a.warc.gz", number), url=url, fetched_at=NOON + timedelta(minutes=number), kind="page",
        content_digest=f"sha1:{number}", reason=None, detail=None, refers_to=None, is_revisit=False, article_id=url_id(page_url(url)),
        text_digest=told.digest, signature=told.signature, quarantine_reason=None, quarantine_detail=None, page_id=url_id(page_url(url)),
        claimed_url=claimed_url(url, canonical),
    )  # fmt: skip


def articles(pages: list[RecordSummary], earlier: EarlierRows | None = None) -> dict[str, str]:
    """The URL that identifies each page's article. It is the same for any order of the pages and of fetching."""
    found: set[tuple[tuple[str, str], ...]] = set()
    for seed in range(6):
        mixed = [*pages]
        random.Random(seed).shuffle(mixed)
        if seed:
            mixed = [page_at(one, number) for number, one in enumerate(mixed)]
        identities = decide_identities(mixed, earlier or EarlierRows())
        found.add(tuple(sorted((one.url, str(one.article_id)) for one in identities.of(mixed))))
    assert len(found) == 1, "the order decides"
    return dict(found.pop())


def page_at(one: RecordSummary, number: int) -> RecordSummary:
    from dataclasses import replace

    return replace(one, fetched_at=NOON + timedelta(minutes=number), record_id=(one.record_id[0], number))


def ids(*urls: str) -> list[str]:
    return [url_id(page_url(url)) for url in urls]


@pytest.mark.parametrize("canonical", ["/article.php", "/story", "/section/", "/2026/?page=1"])
def test_pages_with_different_texts_that_name_one_canonical_are_different_articles(canonical: str) -> None:
    urls = [f"{SITE}/article.php?id={number}" for number in range(4)]
    pages = [page(url, SITE + canonical, text(number)) for number, url in enumerate(urls)]
    assert list(articles(pages).values()) == ids(*urls)
    stored = page(SITE + canonical, None, text(9))
    assert [articles([*pages, stored])[url] for url in urls] == ids(*urls)


def test_the_first_page_of_a_story_is_not_the_story_of_the_others() -> None:
    first = page(SITE + "/long", None, text(1))
    others = [page(f"{SITE}/long?page={number}", SITE + "/long", text(number)) for number in (2, 3)]
    assert list(articles([first, *others]).values()) == ids(SITE + "/long", *(one.url for one in others))


@pytest.mark.parametrize(
    ("own", "twin"),
    [
        ("/a/story", "/a/story?utm_source=feed"), ("/a/story", "/a/story/amp"), ("/a/story", "/print.php?id=7"),
        ("/a/story", "http://news.example/a/story"), ("/a/story", "https://m.news.example/a/story"),
        ("/a/story", "https://amp.news.example/story.html"), ("/a/story", "https://edition.news.example/a/story"),
        ("/a/story/", "/a/story"), ("/a/story", "https://www.news.example/a/story/"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("shared", [10, 8])
def test_twins_of_a_stored_page_are_its_article(own: str, twin: str, shared: int) -> None:
    own, twin = SITE + own, twin if "://" in twin else SITE + twin
    pages = [page(own, own, text(1)), page(twin, own, text(1, 2, shared))]
    assert list(articles(pages).values()) == ids(own, own)


def test_a_claim_without_evidence_is_not_believed() -> None:
    for canonical in ("/b", "https://elsewhere.example/b", "/", "javascript:void(0)", "https://[broken", "http:///x", ""):
        assert articles([page(SITE + "/a?x=1", canonical, text(1))]) == dict(zip([SITE + "/a?x=1"], ids(SITE + "/a?x=1"), strict=True))
    foreign = page("https://paper.example/copy", SITE + "/a", text(1))
    assert list(articles([page(SITE + "/a", None, text(1)), foreign]).values()) == ids(SITE + "/a", foreign.url)


def test_two_languages_stay_two_articles() -> None:
    german, english = page(SITE + "/de/a", SITE + "/en/a", text(1)), page(SITE + "/en/a", SITE + "/en/a", text(2))
    assert list(articles([german, english]).values()) == ids(german.url, english.url)


@pytest.mark.parametrize(("own", "claim"), [("/a/", "/a"), ("/a", "/a/"), ("/a", "https://www.news.example/a")])
def test_another_spelling_of_the_own_url_is_the_own_url(own: str, claim: str) -> None:
    claim = claim if "://" in claim else SITE + claim
    assert list(articles([page(SITE + own, claim, text(1))]).values()) == ids(claim)
    other = page(claim, None, text(2))
    assert articles([page(SITE + own, claim, text(1)), other])[SITE + own] == ids(SITE + own)[0], "another page has that URL"


def test_claims_lead_on_and_circles_end() -> None:
    chain = [page(SITE + "/amp", SITE + "/m", text(1)), page(SITE + "/m", SITE + "/a", text(1)), page(SITE + "/a", None, text(1))]
    assert set(articles(chain).values()) == set(ids(SITE + "/a"))
    circle = [page(SITE + "/x", SITE + "/y", text(1)), page(SITE + "/y", SITE + "/x", text(1)), page(SITE + "/z", SITE + "/x", text(1))]
    assert set(articles(circle).values()) == {min(ids(SITE + "/x", SITE + "/y"))}


def test_a_relative_canonical_is_joined_with_the_url() -> None:
    pages = [page(SITE + "/a/b?print=1", "b", text(1)), page(SITE + "/a/b", None, text(1))]
    assert set(articles(pages).values()) == set(ids(SITE + "/a/b"))


def held(url: str, told: Text) -> EarlierRows:
    """A lake in which an article is known under the id of a URL."""
    (article,) = ids(url)
    version = Version(1, 1, url, "news.example", told.digest, "news", "1", None, WarcPointer())
    return EarlierRows(versions={article: version}, texts={article: [told]})


def test_the_article_that_holds_the_identity_in_the_lake_decides() -> None:
    twin = page(SITE + "/a?x=1", SITE + "/a", text(1, 2, 8))
    assert list(articles([twin], held(SITE + "/a", text(1))).values()) == ids(SITE + "/a")
    assert list(articles([twin], held(SITE + "/a", text(5))).values()) == ids(twin.url)


def test_a_page_that_the_lake_knows_keeps_its_article() -> None:
    twin, own = page(SITE + "/a?x=1", SITE + "/a", text(1)), page(SITE + "/a", None, text(1))
    for known in ids(SITE + "/a", twin.url, SITE + "/former"):
        earlier = EarlierRows(pages={twin.url: EarlierPage(known, has_article=True)})
        assert articles([twin, own], earlier) == {twin.url: known, own.url: own.article_id}


def test_a_site_whose_pages_name_one_canonical_is_reported(caplog: pytest.LogCaptureFixture) -> None:
    pages = [page(f"{SITE}/story/{number}", SITE + "/story", text(number), number) for number in range(4)]
    pages += [
        page("https://sound.example/a", None, text(20), 20),
        page("https://sound.example/a?x", "https://sound.example/a", text(20), 21),
    ]
    identities, counter = decide_identities(pages, EarlierRows()), CanonicalCounter()
    for portion in (pages[:2], pages[2:]):
        counter.add(portion, identities)
    counts = counter.counts()
    host = {"host": "news.example", "articles": 4, "refused": 4, "canonical_url": SITE + "/story", "named_by": 4}
    assert counts == {"run-1": {"claims": 5, "refused": 4, "hosts": [host]}}
    assert "4 of 4 articles on news.example name a canonical URL that is not stored or has another text" in caplog.text


def test_a_whole_site_with_one_canonical_costs_one_comparison_a_page() -> None:
    told = [text(number) for number in range(20)]

    def decide(size: int) -> None:
        pages = [page(f"{SITE}/a?id={number}", SITE + "/a", told[number % 20], number) for number in range(1, size)]
        assert decide_identities([*pages, page(SITE + "/a", None, told[0], 0)], EarlierRows()).believed == size // 20 - 1

    assert growth(decide, 1000) < 8
