"""The decisions on a run's records and the order of its texts, in a database on the local disk: they may not fit into memory.

Decisions come in portion by portion. When all are there, the new versions are compared with one another, as `decisions.decide` does it in
memory. Then the decisions are read in the order of the cleaned rows.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np

from processing.resolve.decisions import as_duplicate, committed_original
from processing.resolve.earlier_rows import EarlierRows
from processing.resolve.portions.scratch_database import open_scratch_database
from processing.resolve.portions.similar_pairs import SignatureFiles, similar_pairs
from processing.resolve.records import Decision, RecordId, RecordSummary
from processing.staging.staging import DECIDED
from schemas.outcomes import Outcome

_BEGIN = datetime.min.replace(tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_INSERT = {
    "record": "INSERT INTO record VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
    "seen": "INSERT INTO seen VALUES (?, ?, ?)",
    "new": "INSERT INTO new VALUES (?, ?, ?, ?, ?)",
    "pair": "INSERT INTO pair VALUES (?, ?, ?)",
}
# `record` has the decisions by place. `seen` has every text of the run that breaks no rule, `new` the new versions that are no duplicates
# of committed rows; `text` and `pair` are made of `seen`, and `version` of `new`, in the order in which originals are chosen.
_TABLES = """
CREATE TABLE record (
    place INTEGER PRIMARY KEY, outcome, decided_reason, decided_detail, decided_article_id, version, duplicate_of, duplicate_kind,
    duplicate_similarity
);
CREATE TABLE seen (digest TEXT, rank BLOB, place INTEGER);
CREATE TABLE new (digest TEXT, rank BLOB, version INTEGER, record INTEGER, article_id TEXT);
CREATE TABLE text (number INTEGER PRIMARY KEY, digest TEXT, rank BLOB, place INTEGER, article_id TEXT);
CREATE TABLE pair (later INTEGER, earlier INTEGER, similarity REAL, PRIMARY KEY (later, earlier)) WITHOUT ROWID;
CREATE TABLE version (number INTEGER PRIMARY KEY, text INTEGER, record INTEGER, article_id TEXT);
"""
_NUMBER_TEXTS = "INSERT INTO text (digest, rank, place) SELECT digest, min(rank), place FROM seen GROUP BY digest ORDER BY 2, 1"
_NUMBER_VERSIONS = """
INSERT INTO version (text, record, article_id) SELECT text.number, new.record, new.article_id FROM new JOIN text USING (digest)
ORDER BY text.rank, new.rank, new.version, new.record
"""
_SAME_TEXT = "SELECT article_id FROM text WHERE number = ?"
_SIMILAR_TEXT = """
SELECT text.article_id, pair.similarity FROM pair JOIN text ON text.number = pair.earlier
WHERE pair.later = ? AND text.article_id IS NOT NULL AND text.article_id <> ? ORDER BY pair.earlier LIMIT 1
"""


@contextmanager
def open_decided(folder: Path, near_similarity: float) -> Iterator[DecidedRecords]:
    """Decisions in an empty folder, until the end of the block. Raises StorageError when the folder's disk is full."""
    with open_scratch_database(folder / "decided.sqlite", _TABLES) as database:
        yield DecidedRecords(folder, near_similarity, database)


class DecidedRecords:
    """The decisions on the records of a run. `folder` is for its files, `near_similarity` the Jaccard similarity of near-duplicates."""

    def __init__(self, folder: Path, near_similarity: float, database: sqlite3.Connection) -> None:
        self._folder, self._near_similarity, self._database = folder, near_similarity, database
        self._signatures = SignatureFiles(folder)

    def add(
        self, summaries: Sequence[RecordSummary], places: Iterable[int], decisions: Mapping[RecordId, Decision], earlier: EarlierRows
    ) -> None:
        """Add the decisions on a portion. `places` are those of its records among the cleaned rows, `earlier` are the lake's rows."""
        decided: list[tuple[object, ...]] = []
        new: list[tuple[object, ...]] = []
        for summary, place in zip(summaries, places, strict=True):
            decision = decisions[summary.record_id]
            if decision.outcome is Outcome.PUBLISHED and decision.article_id is not None and summary.text_digest is not None:
                decision = as_duplicate(decision, committed_original(earlier, decision.article_id, summary.text_digest))
                if decision.outcome is Outcome.PUBLISHED:
                    new.append((summary.text_digest, _rank(summary), decision.version, place, decision.article_id))
            decided.append((place, *decision.row().values()))
        self._insert("record", decided)
        self._insert("new", new)
        self._add_texts(summaries)

    def compare_texts(self) -> None:
        """Say of the new versions which are duplicates of others, after all were added. They are taken by the rank of their texts."""
        run = self._database.execute
        if run("SELECT 1 FROM new LIMIT 1").fetchone() is None:
            return
        run(_NUMBER_TEXTS)
        run("CREATE INDEX text_by_digest ON text (digest)")
        run(_NUMBER_VERSIONS)
        places = np.fromiter((place for (place,) in run("SELECT place FROM text ORDER BY number")), np.int32)
        for later, earlier, found in similar_pairs(self._signatures, places, self._near_similarity, self._folder):
            self._insert("pair", zip((later + 1).tolist(), (earlier + 1).tolist(), found.tolist(), strict=True))
        for text, record, article in self._database.execute("SELECT text, record, article_id FROM version ORDER BY number"):
            original = self._original(text, article)
            if original is None:
                run("UPDATE text SET article_id = ? WHERE number = ? AND article_id IS NULL", (article, text))
            else:
                values = (str(Outcome.DUPLICATE), *original, record)
                run("UPDATE record SET outcome = ?, duplicate_kind = ?, duplicate_of = ?, duplicate_similarity = ? WHERE place = ?", values)

    def rows(self) -> Iterator[dict[str, object]]:
        """The decisions as rows of DECIDED, in the order of the cleaned rows."""
        for row in self._database.execute("SELECT * FROM record ORDER BY place"):
            yield dict(zip(DECIDED.names, row[1:], strict=True))

    def _original(self, text: int, article: str) -> tuple[str, str, float] | None:
        (same,) = self._database.execute(_SAME_TEXT, (text,)).fetchone()
        if same is not None and same != article:
            return "exact", same, 1.0
        similar = self._database.execute(_SIMILAR_TEXT, (text, article)).fetchone()
        return None if similar is None else ("near", *similar)

    def _add_texts(self, summaries: Sequence[RecordSummary]) -> None:
        """Add each text once, at its first rank in this portion."""
        first: dict[str, RecordSummary] = {}
        for one in summaries:
            if one.text_digest is not None and one.quarantine_reason is None:
                known = first.setdefault(one.text_digest, one)
                if one.rank() < known.rank():
                    first[one.text_digest] = one
        signed = [one for one in first.values() if one.signature]
        unsigned = [one for one in first.values() if not one.signature]
        rows = [(one.text_digest, _rank(one), place) for place, one in enumerate(signed, self._signatures.count)]
        self._signatures.add([one.signature or b"" for one in signed])
        self._insert("seen", [*rows, *((one.text_digest, _rank(one), -1) for one in unsigned)])

    def _insert(self, table: str, rows: Iterable[tuple[object, ...]]) -> None:
        self._database.executemany(_INSERT[table], rows)


def _rank(summary: RecordSummary) -> bytes:
    """The rank of a record's text as bytes in the same order."""
    crawl_run, published_at, url, _ = summary.rank()
    microseconds = (published_at - _BEGIN) // _MICROSECOND
    return b"\0".join((crawl_run.encode(), b"%020d" % microseconds, url.encode("utf-8", "surrogatepass")))
