"""Near duplicates among constructed texts whose true similarity is known: recall, precision, and documents per CPU second.

`python -m benchmarks duplicates --texts 20000`. Beside it rensa's own MinHash with LSH (16 bands of 8) and verification. The true
similarity is the Jaccard similarity of the sets of five-word runs. Bounds: recall of copies from .8 on, precision of marked pairs, and the
speed of all steps: words, shingles, signatures, candidates, comparison, decision.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta

from rensa import RMinHash, RMinHashLSH

from benchmarks.duplicates.texts import Made, make_texts
from processing.clean.minhash import text_signatures
from processing.clean.words import words
from processing.resolve.decisions import decide
from processing.resolve.earlier_rows import EarlierRows
from processing.resolve.near_duplicates import NearIndex
from processing.resolve.records import RecordSummary

THRESHOLD = 0.8
RECALL, PRECISION, SPEED = 0.97, 0.985, 10_000
BATCH = 500  # texts that are signed together, as rows of a host bucket are
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)

Marked = dict[int, int]  # a text that is found to be a duplicate -> its original


def by_crawlhouse(texts: Sequence[str]) -> Marked:
    """What resolve decides."""
    signed = [one for start in range(0, len(texts), BATCH) for one in _signed(texts[start : start + BATCH])]
    digests = [f"{number:06d}" for number in range(len(texts))]
    index = NearIndex(digests, [one or b"" for one in signed], THRESHOLD)
    pairs = index.pairs()
    summaries = [_summary(number, digest) for number, digest in enumerate(digests)]
    found = decide(summaries, EarlierRows(), pairs, lambda version: version.text_digest)
    return {offset: int(one.duplicate_of) for (_, offset), one in found.items() if one.duplicate_of is not None}


def by_rensa(texts: Sequence[str]) -> Marked:
    """The first text of which a text is a copy, by rensa alone."""
    lsh, made, originals, marked = RMinHashLSH(THRESHOLD, 128, 16), [], set[int](), {}
    for number, text in enumerate(texts):
        tokens = words(text)
        sketch = RMinHash(128, 42)
        sketch.update(list({" ".join(run) for run in zip(*(tokens[start:] for start in range(5)), strict=False)}))
        near = [one for one in sorted(lsh.query(sketch)) if one in originals and sketch.jaccard(made[one]) >= THRESHOLD]
        made.append(sketch)
        if near:
            marked[number] = near[0]
        else:
            originals.add(number)
        lsh.insert(number, sketch)
    return marked


def _signed(texts: Sequence[str]) -> list[bytes | None]:
    return text_signatures(texts)


def _summary(number: int, digest: str) -> RecordSummary:
    return RecordSummary(
        record_id=("w", number), url=f"https://a.example/{number:06d}", fetched_at=NOON + timedelta(seconds=number), kind="page",
        content_digest=digest, reason=None, detail=None, refers_to=None, is_revisit=False, article_id=str(number), text_digest=digest,
        signature=None, quarantine_reason=None, quarantine_detail=None,
    )  # fmt: skip


def similarity(one: str, other: str) -> float:
    """The true similarity of two texts."""
    first, second = (set(zip(*(words(text)[start:] for start in range(5)), strict=False)) for text in (one, other))
    return len(first & second) / len(first | second)


def measure(name: str, texts: Sequence[Made], find: Callable[[Sequence[str]], Marked]) -> tuple[float, float, float]:
    """Print what one way finds; its recall, precision and documents per CPU second."""
    plain = [one.text for one in texts]
    before = time.process_time()
    marked = find(plain)
    speed = len(texts) / (time.process_time() - before)
    copies = [number for number, one in enumerate(texts) if one.similarity >= THRESHOLD]
    recall = sum(number in marked for number in copies) / len(copies)
    true = [similarity(plain[number], plain[original]) >= THRESHOLD for number, original in marked.items()]
    precision = sum(true) / len(true)
    kinds = Counter(texts[number].kind for number, right in zip(marked, true, strict=True) if not right)
    wrongly = ", ".join(f"{kind} {count}" for kind, count in sorted(kinds.items())) or "none"
    print(f"{name:11} recall {recall:.4f}  precision {precision:.4f}  {speed:8,.0f} docs per CPU s  wrongly marked: {wrongly}", flush=True)
    return recall, precision, speed


def main(arguments: list[str] | None = None) -> int:
    """Print the figures. 1 if a bound is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--texts", type=int, default=20_000, help="how many texts (default: 20000)")
    options = parser.parse_args(arguments)
    texts = make_texts(options.texts, similarity)
    print(f"{len(texts):,} texts, {sum(one.similarity >= THRESHOLD for one in texts):,} copies of {THRESHOLD} and more")
    measure("rensa LSH", texts, by_rensa)
    recall, precision, speed = measure("crawlhouse", texts, by_crawlhouse)
    within = recall >= RECALL and precision >= PRECISION and speed >= SPEED
    print("all within bounds" if within else f"NOT within bounds: recall {RECALL}, precision {PRECISION}, {SPEED:,} docs per CPU s")
    return 0 if within else 1


if __name__ == "__main__":
    sys.exit(main())
