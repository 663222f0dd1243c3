"""What the lake already knows of a run's records: payloads, revisited captures, versions, exact and near originals.

Streamed: of the lake's rows only those are kept that something in the run may meet.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from processing.clean.minhash import signatures
from processing.resolve.duplicates import NearIndex
from processing.resolve.records import Card, Place
from schemas.outcomes import Outcome
from schemas.page import WarcPointer
from storage.lake.lake import Lake

_VERSION_COLUMNS = [
    "article_id", "version", "sequence", "url", "host", "text_digest", "crawl", "code_version", "memory_version", "fetched_at",
    "warc_filename", "warc_record_offset", "warc_record_length", "content_digest", "duplicate_of",
]  # fmt: skip
_CAPTURE_COLUMNS = [
    "url",
    "content_digest",
    "outcome",
    "reason",
    "article_id",
    "article_version",
    "warc_filename",
    "warc_record_offset",
    "sequence",
]
_SERVED = [str(Outcome.PUBLISHED), str(Outcome.KNOWN), str(Outcome.DUPLICATE)]

Rank = tuple[int, datetime, str, int]  # sequence, then fetch order: which row was committed first


@dataclass(frozen=True, slots=True)
class Version:
    """The latest version of an article in the lake, and what it was cleaned by."""

    version: int
    sequence: int
    url: str
    host: str
    text_digest: str
    crawl: str
    code_version: str
    memory_version: int | None
    pointer: WarcPointer


@dataclass(frozen=True, slots=True)
class Told:
    """What an earlier capture came to."""

    outcome: str
    reason: str | None
    article_id: str | None
    version: int | None


@dataclass(frozen=True, slots=True)
class Original:
    """A committed row that others may be duplicates of."""

    rank: Rank
    article_id: str
    similarity: float = 1.0


@dataclass(slots=True)
class LakeView:
    """The part of the lake that a run can meet. `near` lists, per text digest of the run, similar originals."""

    payloads: dict[tuple[str, str], Told] = field(default_factory=dict)
    captures: dict[Place, Told] = field(default_factory=dict)
    versions: dict[str, Version] = field(default_factory=dict)
    exact: dict[str, list[Original]] = field(default_factory=dict)
    near: dict[str, list[Original]] = field(default_factory=dict)


def look(lake: Lake, cards: Sequence[Card], index: NearIndex) -> LakeView:
    """What the lake knows of these records now; `index` holds the run's own signatures."""
    view = LakeView()
    _look_at_captures(lake, cards, view)
    _look_at_articles(lake, cards, index, view)
    for found in (*view.exact.values(), *view.near.values()):
        found.sort(key=lambda original: original.rank)
    return view


def _look_at_captures(lake: Lake, cards: Sequence[Card], view: LakeView) -> None:
    payloads = pa.array({card.content_digest for card in cards if card.content_digest}, pa.string())
    files = pa.array({card.refers_to[0] for card in cards if card.refers_to}, pa.string())
    urls = {(card.url, card.content_digest) for card in cards}
    places = {card.refers_to for card in cards if card.refers_to}
    latest: dict[tuple[str, str], int] = {}
    for batch in lake.scan("captures", _CAPTURE_COLUMNS):
        served = pc.and_(pc.is_in(batch["outcome"], pa.array(_SERVED)), pc.is_in(batch["content_digest"], payloads))
        for row in batch.filter(pc.or_(served, pc.is_in(batch["warc_filename"], files))).to_pylist():
            told = Told(row["outcome"], row["reason"], row["article_id"], row["article_version"])
            payload, place = (row["url"], row["content_digest"]), (row["warc_filename"], row["warc_record_offset"])
            if place in places:
                view.captures[place] = told
            if row["outcome"] in _SERVED and payload in urls and row["sequence"] >= latest.get(payload, 0):
                latest[payload] = row["sequence"]
                view.payloads[payload] = told


def _look_at_articles(lake: Lake, cards: Sequence[Card], index: NearIndex, view: LakeView) -> None:
    ids = pa.array({card.article_id for card in cards if card.article_id}, pa.string())
    digests = pa.array({card.text_digest for card in cards if card.text_digest}, pa.string())
    for batch in lake.scan("articles", [*_VERSION_COLUMNS, "minhash"]):
        originals = batch.filter(pc.is_null(batch["duplicate_of"]))
        for row in batch.filter(pc.is_in(batch["article_id"], ids)).select(_VERSION_COLUMNS).to_pylist():
            _keep_latest(view, row)
        for row in originals.filter(pc.is_in(originals["text_digest"], digests)).select(_VERSION_COLUMNS).to_pylist():
            view.exact.setdefault(row["text_digest"], []).append(Original(_rank(row), row["article_id"]))
        _look_for_near(originals.filter(pc.is_valid(originals["minhash"])), index, view)


def _look_for_near(originals: pa.RecordBatch, index: NearIndex, view: LakeView) -> None:
    if not originals.num_rows:
        return
    found = index.query(signatures(originals["minhash"].to_pylist()))
    if not found:
        return
    rows = originals.select(_VERSION_COLUMNS).take(pa.array(np.unique([theirs for theirs, _, _ in found]))).to_pylist()
    by_place = dict(zip(sorted({theirs for theirs, _, _ in found}), rows, strict=True))
    for theirs, digest, similar in found:
        row = by_place[theirs]
        view.near.setdefault(digest, []).append(Original(_rank(row), row["article_id"], similar))


def _keep_latest(view: LakeView, row: dict[str, object]) -> None:
    known = view.versions.get(str(row["article_id"]))
    if known is not None and (known.version, known.sequence) >= (row["version"], row["sequence"]):
        return
    pointer = WarcPointer(*(row[name] for name in ("warc_filename", "warc_record_offset", "warc_record_length", "content_digest")))  # type: ignore[arg-type]
    names = ("version", "sequence", "url", "host", "text_digest", "crawl", "code_version", "memory_version")
    view.versions[str(row["article_id"])] = Version(pointer=pointer, **{name: row[name] for name in names})  # type: ignore[arg-type]


def _rank(row: dict[str, object]) -> Rank:
    return row["sequence"], row["fetched_at"], row["warc_filename"], row["warc_record_offset"]  # type: ignore[return-value]
