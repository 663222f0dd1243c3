"""A run that is decided on in portions has the decisions that it has as a whole."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from processing.clean.identity import page_url, url_id
from processing.clean.minhash import text_signatures
from processing.resolve.decisions import decide, decide_versions
from processing.resolve.earlier_rows import EarlierOutcome, EarlierPage, EarlierRows, Original, Version
from processing.resolve.identities import decide_identities
from processing.resolve.near_duplicates import NearIndex
from processing.resolve.portions import links as links_module
from processing.resolve.portions import similar_pairs as pairs_module
from processing.resolve.portions.decided_records import open_decided
from processing.resolve.portions.links import Links
from processing.resolve.portions.similar_pairs import SignatureFiles, similar_pairs
from processing.resolve.records import RecordSummary
from schemas.errors import StorageError
from schemas.page import WarcPointer
from tests.processing.crawlruns import prose

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
SITES = 12
RECORDS = 40


@cache
def text(number: int, edits: int = 0) -> tuple[str, bytes]:
    words = " ".join(prose(number)).split()
    for place in range(edits):
        words[place * 9] = f"edited{edits}"
    found = " ".join(words)
    return f"digest-{number}-{edits}", text_signatures([found])[0] or b""


def urls_of(site: int) -> list[str]:
    return [f"https://{host}site{site}.example/{page}{query}" for host in ("", "m.") for page in "pq" for query in ("", "?x=1")]


def record(number: int, chance: random.Random) -> RecordSummary:
    site = urls_of(chance.randrange(SITES))
    url = chance.choice(site)
    digest, signature = text(chance.randint(0, 5), chance.choice([0, 0, 1, 2]))
    is_article = chance.random() < 0.8
    claimed = chance.choice([None, None, *site]) if is_article else None
    own = url_id(page_url(url))
    broken = {"quarantine_reason": "too_short", "quarantine_detail": ""} if chance.random() < 0.1 else {}
    refers_to = [None, None, ("warc/c/run/s.warc.gz", chance.randint(0, RECORDS)), ("lake", chance.randrange(2 * SITES))]
    values = {
        "record_id": ("warc/c/run/s.warc.gz", number), "url": url, "fetched_at": NOON + timedelta(minutes=chance.randint(0, 9)),
        "kind": "page", "content_digest": f"d{chance.randint(0, 3)}", "reason": None, "detail": None,
        "refers_to": None if is_article else chance.choice(refers_to), "is_revisit": not is_article and chance.random() < 0.7,
        "article_id": own if is_article else None, "text_digest": digest if is_article else None,
        "signature": signature if is_article else None, "quarantine_reason": None, "quarantine_detail": None,
        "page_id": own if is_article else None, "crawl_run": "run",
        "claimed_url": None if claimed is None or page_url(claimed) == page_url(url) else page_url(claimed),
        "published_at": chance.choice([None, NOON, NOON + timedelta(days=1)]),
    }  # fmt: skip
    return RecordSummary(**{**values, **broken})  # type: ignore[arg-type]


def lake(chance: random.Random) -> EarlierRows:
    """Rows of a lake that knows some of the pages, articles, records and texts."""
    earlier = EarlierRows()
    for number in range(SITES):
        site = urls_of(number)
        articles = [url_id(page_url(url)) for url in site]
        for url, article in zip(site, articles, strict=True):
            if chance.random() < 0.4:
                had = chance.choice([article, chance.choice(articles)])
                earlier.pages[url] = EarlierPage(chance.choice([had, None]), has_article=chance.random() < 0.7)
                earlier.payloads[url, f"d{chance.randint(0, 3)}"] = EarlierOutcome("published", None, chance.choice(articles), 1)
            if chance.random() < 0.4:
                digest = text(chance.randint(0, 5))[0]
                earlier.versions[article] = Version(chance.randint(1, 3), 1, url, "h", digest, "c", "", 1, WarcPointer(), "run-0", NOON, 3)
            elif chance.random() < 0.5:
                earlier.gone.add(article)
        earlier.captures["lake", number] = EarlierOutcome("published", None, chance.choice(articles), 1)
    earlier.exact[text(chance.randint(0, 5))[0]] = [Original((1, ("", NOON, "", 1)), chance.choice([*earlier.versions]))]
    return earlier


def index(summaries: Sequence[RecordSummary]) -> NearIndex:
    texts: dict[str, bytes] = {}
    for one in sorted(summaries, key=lambda one: (one.rank(), one.text_digest or "")):
        if one.text_digest and one.signature and one.quarantine_reason is None:
            texts.setdefault(one.text_digest, one.signature)
    return NearIndex(list(texts), list(texts.values()), 0.8)


@pytest.mark.parametrize("seed", range(20))
def test_portions_change_no_decision(seed: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where claims of sites are not believed because they link too many pages: with every second seed."""
    monkeypatch.setattr(links_module, "MAX_LINKED", 3 if seed % 2 else RECORDS)
    monkeypatch.setattr(pairs_module, "RANGE_TEXTS", 3)
    monkeypatch.setattr(pairs_module, "PART_TEXTS", 5)
    monkeypatch.setattr(pairs_module, "READ", 4)
    chance = random.Random(seed)
    summaries, earlier = [record(number, chance) for number in range(RECORDS)], lake(chance)
    links = Links(tmp_path)
    for start in range(0, RECORDS, 15):
        links.add(summaries[start : start + 15], earlier)
    numbers, is_crowded = map(np.concatenate, zip(*links.portions(7), strict=True))
    assert len(set(numbers.tolist())) > 2
    crowded = {summary.url for summary, found in zip(summaries, is_crowded, strict=True) if found}
    identities = decide_identities(summaries, earlier, crowded)
    whole = decide(identities.of(summaries), earlier, index(summaries).pairs(), lambda version: version.text_digest)
    assert bool(crowded & identities.refused.keys()) == (seed % 2 == 1)
    with open_decided(tmp_path, 0.8) as decided:
        for portion in sorted(set(numbers.tolist()), reverse=True):
            places = np.flatnonzero(numbers == portion).tolist()
            part = [summaries[place] for place in places]
            part = decide_identities(part, earlier, crowded).of(part)
            decided.add(part, places, decide_versions(part, earlier, lambda version: version.text_digest), earlier)
        decided.compare_texts()
        found = list(decided.rows())
    assert {one["outcome"] for one in found} >= {"published", "duplicate"}
    assert found == [whole[one.record_id].row() for one in summaries]


def test_a_site_that_names_one_url_is_divided(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its pages are articles of their own; twins of another site stay together."""
    monkeypatch.setattr(links_module, "MAX_LINKED", 5)
    chance = random.Random(1)
    made = [replace(record(number, chance), refers_to=None) for number in range(11)]
    site = [replace(one, url=f"https://e.org/{place}", claimed_url="https://e.org/top") for place, one in enumerate(made[:6])]
    twins = [replace(one, url=f"https://m.f.org/{place}", claimed_url="https://f.org/1") for place, one in enumerate(made[6:])]
    links = Links(tmp_path)
    links.add([*site, *twins], EarlierRows())
    ((numbers, crowded),) = links.portions(1_000)
    assert crowded.tolist() == [True] * 6 + [False] * 5
    assert [len(set(some.tolist())) for some in (numbers[:6], numbers[6:])] == [6, 1]


def test_similar_pairs_are_those_of_the_index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also of texts that are all alike, in parts and ranges; a place that is left out has no pair."""
    monkeypatch.setattr(pairs_module, "RANGE_TEXTS", 10)
    monkeypatch.setattr(pairs_module, "PART_TEXTS", 40)
    monkeypatch.setattr(pairs_module, "ADDED", 7)
    stored = [text(number // 10, number % 10)[1] for number in range(60)] + [text(1, 3)[1]] * 60
    pairs = NearIndex([str(number) for number in range(120)], stored, 0.8).pairs()
    expected = {(int(later), int(earlier)): found for later, similar in pairs.items() for earlier, found in similar}
    files = SignatureFiles(tmp_path)
    order = random.Random(3).sample(range(120), 120)
    files.add([stored[number] for number in order[:50]])
    files.add([stored[number] for number in order[50:]] + [stored[0]])
    places = np.array([order.index(number) for number in range(120)], np.int32)
    found = [
        ((one, other), value)
        for later, earlier, values in similar_pairs(files, places, 0.8, tmp_path)
        for one, other, value in zip(later.tolist(), earlier.tolist(), values.tolist(), strict=True)
    ]
    assert len(expected) > 1_000
    assert found == sorted(expected.items())


def test_a_full_disk_is_named(tmp_path: Path) -> None:
    chance = random.Random(1)
    summaries = [record(number, chance) for number in range(RECORDS)]
    decisions = decide_versions(summaries, EarlierRows(), lambda version: version.text_digest)

    def fill() -> None:
        with open_decided(tmp_path, 0.8) as decided:
            decided._database.execute("PRAGMA max_page_count = 20")
            for start in range(0, 100 * RECORDS, RECORDS):
                decided.add(summaries, range(start, start + RECORDS), decisions, EarlierRows())

    with pytest.raises(StorageError, match=r"full. Free some space, or name another folder in TMPDIR"):
        fill()
