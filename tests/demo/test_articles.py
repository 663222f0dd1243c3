"""The made-up articles: many, different, and in the languages that they declare."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime

import pycld2

from demo import clock
from demo.news import truth
from demo.news.truth import Truth

LATER = 9


def _shingles(article: Truth) -> set[tuple[str, ...]]:
    text = " ".join(article.paragraphs)
    words = list(text) if article.language == "ja" else text.lower().split()
    return {tuple(words[start : start + 5]) for start in range(len(words) - 4)}


def _likeness(one: Truth, other: Truth) -> float:
    ours, theirs = _shingles(one), _shingles(other)
    return len(ours & theirs) / len(ours | theirs)


def test_more_than_two_hundred_in_four_languages() -> None:
    originals = [article for article in truth.articles(0) if article.copy_of is None]
    counts = Counter(article.language for article in originals)
    assert len(originals) >= 200
    assert set(counts) == {"en", "de", "es", "ja"}
    assert min(counts.values()) >= 50
    assert len({article.url for article in truth.articles(LATER)}) == len(truth.articles(LATER))


def test_each_is_in_the_language_it_claims_and_of_a_news_length() -> None:
    for article in truth.articles(LATER):
        text = "\n".join(article.paragraphs)
        assert pycld2.detect(text)[2][0][1] == article.language
        length = len(text) / 2.2 if article.language == "ja" else len(text.split())
        assert 150 <= length <= 900


def test_originals_are_no_near_duplicates_and_share_no_paragraph() -> None:
    originals = [article for article in truth.articles(0) if article.copy_of is None]
    shingles = [(article.language, _shingles(article)) for article in originals]
    for place, (language, ours) in enumerate(shingles):
        assert all(len(ours & theirs) / len(ours | theirs) < 0.6 for other, theirs in shingles[:place] if other == language)
    paragraphs = Counter(
        text for article in originals for text, kind in zip(article.paragraphs, article.kinds, strict=True) if kind in {"p", "quote"}
    )
    assert paragraphs.most_common(1)[0][1] == 1


def test_wire_copies_are_near_or_equal() -> None:
    found = {article.url: article for article in truth.articles(0)}
    copies = [article for article in found.values() if article.copy_of]
    assert {copy.language for copy in copies} == {"en", "de"}
    for copy in copies:
        original = found[copy.copy_of or ""]
        assert copy.url.split("/")[2] != original.url.split("/")[2]
        if copy.copy_exact:
            assert copy.paragraphs == original.paragraphs
        else:
            assert 0.8 <= _likeness(copy, original) < 1
    assert 3 <= sum(copy.copy_exact for copy in copies) < len(copies) / 2


def test_nothing_is_dated_ahead_of_its_tick() -> None:
    for tick in (0, 1, LATER):
        now = clock.time_at(tick)
        assert all(datetime.fromisoformat(article.modified_at) <= now for article in truth.articles(tick))
        assert all(article.published_at <= article.modified_at for article in truth.articles(tick))
    assert clock.time_at(LATER) < datetime.now(UTC)
