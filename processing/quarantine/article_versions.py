"""Give articles that leave quarantine their version, or find that they are known: by the decisions that resolve makes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from processing.clean.minhash import text_signatures
from processing.known.known_lake import KnownLake
from processing.quarantine.candidates import Candidate
from processing.quarantine.record_state import Verdict
from processing.resolve.decisions import decide
from processing.resolve.earlier_rows import read_earlier_rows
from processing.resolve.near_duplicates import NearIndex
from processing.resolve.records import Decision, RecordSummary
from schemas.outcomes import Outcome


def decide_articles(candidates: Sequence[Candidate], known: KnownLake, near_similarity: float) -> Iterator[Verdict]:
    """The verdict on each article that is to be published: a new version, a duplicate, or known already.

    `near_similarity` is the Jaccard similarity from which texts are near-duplicates. Versions in the lake count as they were cleaned.
    """
    signed = text_signatures([{**candidate.old, **candidate.new}["text"] for candidate in candidates])
    summaries = [_summary(candidate, found) for candidate, found in zip(candidates, signed, strict=True)]
    texts: dict[str, bytes] = {}
    for summary in sorted(summaries, key=lambda one: (one.rank(), one.text_digest or "")):
        if summary.text_digest and summary.signature:
            texts.setdefault(summary.text_digest, summary.signature)
    index = NearIndex(list(texts), list(texts.values()), near_similarity)
    earlier = read_earlier_rows(known, summaries, index)
    decisions = decide(summaries, earlier, index.pairs(), lambda version: version.text_digest)
    for candidate in candidates:
        yield _verdict(candidate, decisions[candidate.record_id])


def _verdict(candidate: Candidate, decision: Decision) -> Verdict:
    row: dict[str, Any] = {}  # Any: the values of a row
    if decision.outcome in {Outcome.PUBLISHED, Outcome.DUPLICATE}:
        row = {**candidate.old, **candidate.new, **_history(decision)}
    return Verdict(candidate, decision.outcome, row, decision.reason, decision.detail, decision.article_id, decision.version)


def _history(decision: Decision) -> Mapping[str, Any]:
    named = ("article_id", "version", "duplicate_of", "duplicate_kind")
    return {name: getattr(decision, name) for name in named} | {"duplicate_similarity": decision.similarity}


def _summary(candidate: Candidate, signature: bytes | None) -> RecordSummary:
    row = {**candidate.old, **candidate.new}
    return RecordSummary(
        record_id=candidate.record_id,
        url=row["url"],
        fetched_at=row["fetched_at"],
        kind="page",
        content_digest=row["content_digest"],
        reason=None,
        detail=None,
        refers_to=None,
        is_revisit=False,
        article_id=row["article_id"],
        text_digest=row["text_digest"],
        signature=signature,
        quarantine_reason=None,
        quarantine_detail=None,
        crawl_run=row["crawl_run"],
        published_at=row["published_at"],
    )
