"""The columns that have one value in all rows of a process run."""

from __future__ import annotations

from datetime import UTC, datetime

from schemas.runs import ProcessRun

UNSET_TIME = datetime(1970, 1, 1, tzinfo=UTC)  # publish fills in `ingested_at` and `sequence`


def run_constants(run: ProcessRun) -> dict[str, object]:
    """The values by column."""
    return {
        "crawl": run.crawl.name,
        "process_run": run.process_run,
        "code_version": run.code_version,
        "ingested_at": UNSET_TIME,
        "sequence": 0,
    }
