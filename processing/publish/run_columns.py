"""The columns that have one value in all rows of a process run."""

from __future__ import annotations

from schemas.runs import ProcessRun


def run_constants(run: ProcessRun) -> dict[str, object]:
    """The values by column. When a row was published stands in `runs` alone: files are written before."""
    return {
        "crawl": run.crawl.name,
        "process_run": run.process_run,
        "code_version": run.code_version,
        "ingested_at": None,
        "sequence": None,
    }
