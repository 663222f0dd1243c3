"""Give rows that leave quarantine their place in the history of their keys.

A row may be older than what its table has by now. It is compared with the version of its own time, and gets the next free number: the
numbers of versions are in the order of publishing, and `NAME_latest` has the row that was fetched last.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from processing.datasets.identity import have_equal_values
from processing.datasets.rows import KEY_RULE
from processing.known.known_lake import KnownLake
from processing.quarantine.candidates import Candidate
from processing.quarantine.record_state import Verdict
from processing.resolve.earlier_dataset_rows import Definition, definitions_of
from processing.resolve.row_history import PUBLISHED, KnownVersion, decide_version
from schemas.datasets.dataset import Dataset
from schemas.outcomes import Outcome

_COLUMNS = ["row_id", "version", "first_seen", "fetched_at", "crawl_run", "process_run", "url"]

Version = dict[str, Any]  # Any: the values of a row of the dataset's table


def decide_rows(dataset: Dataset, candidates: Sequence[Candidate], known: KnownLake, *, is_forced: bool) -> Iterator[Verdict]:
    """The verdict on each row that is to be published. `is_forced`: somebody has decided that it is, whatever else is there.

    A row that is equal to the version of its time is known already. One whose key has another row of its crawl run stays in quarantine.
    """
    versions = _versions(dataset, {one.new["row_id"] for one in candidates}, known)
    definitions = definitions_of(known, dataset.name, {one["process_run"] for of_key in versions.values() for one in of_key})
    for candidate in sorted(candidates, key=_order):
        of_key = versions.setdefault(candidate.new["row_id"], [])
        verdict = _decide(dataset, candidate, of_key, definitions, is_forced=is_forced)
        if verdict.outcome is Outcome.PUBLISHED:
            of_key.append(verdict.row)
        yield verdict


def _decide(
    dataset: Dataset, candidate: Candidate, of_key: Sequence[Version], definitions: Mapping[str, Definition], *, is_forced: bool
) -> Verdict:
    row = {**candidate.old, **candidate.new}
    same_run = [one for one in of_key if one["crawl_run"] == row["crawl_run"]]
    if any(have_equal_values(dataset, one, row) for one in same_run):
        return Verdict(candidate, Outcome.KNOWN)
    if same_run and not is_forced:
        detail = f"another row of this run has this key and other values: the one of {same_run[0]['url']}"
        broken = {"row_id": row["row_id"], "row_json": candidate.row_json, "rule": KEY_RULE, "reason": KEY_RULE, "detail": detail}
        return Verdict(candidate, Outcome.QUARANTINED, broken, KEY_RULE, detail)
    known = [_known(one, definitions) for one in of_key]
    found = decide_version(dataset, row, known)
    if found.outcome != PUBLISHED:
        return Verdict(candidate, Outcome.KNOWN)
    place = {"version": found.version, "first_seen": found.first_seen, "changed": list(found.changed)}
    return Verdict(candidate, Outcome.PUBLISHED, {**row, **place})


def _known(row: Version, definitions: Mapping[str, Definition]) -> KnownVersion:
    definition = definitions.get(row["process_run"])
    return KnownVersion(row["version"], row["fetched_at"], row["first_seen"], row, definition.fields if definition else None)


def _versions(dataset: Dataset, row_ids: Collection[str], known: KnownLake) -> dict[str, list[Version]]:
    found: dict[str, list[Version]] = {}
    for row in known.versions(dataset.name, row_ids).select([*_COLUMNS, *dataset.fields]).to_pylist():
        if row["row_id"] in row_ids:  # the index may give others too
            found.setdefault(row["row_id"], []).append(row)
    return found


def _order(candidate: Candidate) -> tuple[str, str, datetime, str, int, int]:
    old = candidate.old
    return (
        candidate.new["row_id"],
        old["crawl_run"],
        old["fetched_at"],
        old["warc_filename"],
        old["warc_record_offset"],
        old["position"],
    )
