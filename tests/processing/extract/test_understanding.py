"""The pure parts: identity, words, language, signals, MinHash, near-duplicates, policy, opt-outs."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from processing.article.tree.parse import parse
from processing.clean.identity import article_id, bucket_of, identity_url
from processing.clean.language import detect_language
from processing.clean.minhash import signatures, similarity, text_signatures
from processing.clean.policy import PolicyInput, check_policy
from processing.clean.shingles import read_shingles
from processing.clean.signals import Signals, signals
from processing.clean.words import text_digest, words
from processing.extract.robots_meta import forbids_indexing
from processing.resolve.near_duplicates import NearIndex
from schemas.article import Block, BlockKind
from schemas.config.crawl import ArticleOptions
from storage.urls.host_key import host_key
from tests.processing.crawlruns import capture, prose

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("url", "canonical", "expected"),
    [
        ("https://www.a.example/x?utm=1", "https://a.example/x", "https://a.example/x"),
        ("https://a.example/x", "/y#top", "https://a.example/y"),
        ("https://a.example/x", "https://a.example/", "https://a.example/x"),
        ("https://a.example/x", "https://elsewhere.example/x", "https://a.example/x"),
        ("https://a.example/x", "javascript:void(0)", "https://a.example/x"),
        ("https://a.example/x", "https://[broken", "https://a.example/x"),
        ("http://A.example:80/x", None, "https://a.example/x"),
        ("http://127.0.0.1:8001/x", "http://127.0.0.1:8002/x", "http://127.0.0.1:8001/x"),
    ],
)
def test_identity(url: str, canonical: str | None, expected: str) -> None:
    assert identity_url(url, canonical) == expected
    assert len(article_id(url, canonical)) == 32


def test_hosts_keep_their_port_and_their_bucket() -> None:
    assert [host_key(url) for url in ("http://a.example:80/", "http://a.example:81/", "nonsense")] == ["a.example", "a.example:81", ""]
    assert bucket_of("a.example") == bucket_of("a.example") < 64


def test_words_of_unspaced_scripts_are_characters() -> None:
    assert words("Hello, 今日は World!") == ["hello", "今", "日", "は", "world"]
    assert read_shingles(["一二三四五六", "一二三", ""]).counts.tolist() == [2, 1, 0]
    assert text_digest("A  b\nC") == text_digest("a b c") != text_digest("abc")


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("Der Gemeinderat hat am Dienstag über die neue Brücke abgestimmt.", "de"),
        ("这座城市的居民周二投票决定是否修建新的图书馆。", "zh"),
        ("今日は天気がとても良いので、公園まで散歩に行きました。", "ja"),
        ("ok", None),
        ("\x00\ud800 12345 67890 12345 67890", None),
    ],
)
def test_language(text: str, language: str | None) -> None:
    assert detect_language(text) == language


def test_similar_texts_are_found_and_others_are_not() -> None:
    one = " ".join(prose(1, 10))
    texts = [one, f"{one.rsplit(maxsplit=15)[0]} a few words at the end of its own", " ".join(prose(2, 10))]
    stored = [one or b"" for one in text_signatures(texts)]
    index = NearIndex(["x", "y", "z"], stored, 0.8)
    assert list(index.pairs()) == ["y"]
    assert [digest for digest, _ in index.pairs()["y"]] == ["x"]
    assert [digest for _, digest, _ in index.query(stored[:1])] == ["x", "y"]
    sketches = signatures(stored).sketches
    assert similarity(sketches[:1], sketches[:1]) == [1.0]
    assert text_signatures(["", "…", texts[0]]) == [None, None, stored[0]]
    assert text_signatures([]) == []
    assert NearIndex([], [], 0.8).pairs() == {}


def test_signals_see_repetition_and_links() -> None:
    text = "buy this thing right now " * 20
    blocks = [Block(BlockKind.PARAGRAPH, text, link_density=0.5)]
    found = signals(text, blocks, read_shingles([text]))
    assert found.duplicate_word_fraction > 0.9
    assert found.link_density == 0.5
    assert signals("", [], read_shingles([""])) == Signals(0, 0, 0, 0)


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ({}, None),
        ({"title": " "}, "no_title"),
        ({"text": "short"}, "too_short"),
        ({"text": "短" * 80}, None),
        ({"language": "fr"}, "language"),
        ({"published_at": NOON + timedelta(days=3)}, "date_implausible"),
        ({"published_at": datetime(1970, 1, 1, tzinfo=UTC)}, "date_implausible"),
        ({"signals": Signals(0.9, 0, 5, 0)}, "repetitive"),
        ({"signals": Signals(0, 0.5, 5, 0)}, "low_quality"),
        ({"signals": Signals(0, 0, 5, 0.9)}, "low_quality"),
    ],
)
def test_policy(given: dict[str, object], reason: str | None) -> None:
    plain: dict[str, object] = {
        "title": "T", "text": "x" * 300, "word_count": 60, "language": "en", "published_at": NOON, "fetched_at": NOON,
        "signals": Signals(0, 0, 5, 0),
    }  # fmt: skip
    violation = check_policy(PolicyInput(**{**plain, **given}), ArticleOptions(languages=("en",)))  # type: ignore[arg-type]
    assert (violation and str(violation.reason)) == reason


def test_pages_that_ask_not_to_be_indexed() -> None:
    page = capture("https://a.example/", "")
    assert forbids_indexing(page, parse('<head><META content="noindex, follow" name=robots></head>'), "crawlhouse")
    assert forbids_indexing(page, parse("<head><meta name='Crawlhouse' content='none'></head>"), "crawlhouse")
    assert forbids_indexing(page, parse('<head><meta name=robots content="unavailable_after: 2001-01-01"></head>'), "crawlhouse")
    googlebot = '<head><meta name="robots" content="index"><meta name="googlebot" content="noindex"></head>'
    assert not forbids_indexing(page, parse(googlebot), "crawlhouse")
    ours = replace(page, response_headers=((b"X-Robots-Tag", b"otherbot: nofollow"), (b"x-robots-tag", b"crawlhouse: noindex")))
    assert forbids_indexing(ours, parse(""), "crawlhouse")
    assert not forbids_indexing(ours, parse(""), "another")
