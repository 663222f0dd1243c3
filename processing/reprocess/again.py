"""Make the rows of a planned portion again: extract, decide and judge, compare, publish in place. Each step again changes nothing.

The stages are those of every process run. What is different is in the plan: which rows of the lake the run does not see
(`processing.resolve.replaced`), and which it takes out in the commit that adds the new ones (`processing.publish.replacing`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pyarrow as pa
import pyarrow.compute as pc

from processing.publish.gate import GateMark, gate_run, read_gate_mark
from processing.publish.publish import publish_run, refuse_other_code
from processing.publish.report import RunReport
from processing.reprocess.comparison import Comparison, compare_rows, replaced_rows
from processing.resolve.resolution import current_base, read_resolve_mark, reread_changed, resolve_run
from processing.resources import Resources, open_resources
from processing.stages import extract, segments
from runtime.code_version import code_version
from runtime.failpoint import reached
from schemas.config.settings import Settings
from schemas.errors import GateError
from schemas.outcomes import Outcome
from schemas.runs import ProcessRun
from storage.lake.reader.lake_file import refresh_lake_file

Progress = Callable[[str], None]


def extract_all(process_run: str, settings: Settings, progress: Progress = lambda _: None) -> None:
    """Stage the rows of all segments of a process run."""
    names = segments(process_run, settings)
    for number, segment in enumerate(names, 1):
        progress(f"extract {number:,}/{len(names):,}")
        extract(process_run, segment, settings)


def compare(process_run: str, settings: Settings) -> Comparison:
    """What would change if an extracted process run were published now. Raises GateError, AccountingError; ConflictError before extract."""
    with open_resources(settings) as resources:
        run, names = _run_and_segments(process_run, settings, resources)
        return compare_rows(run, _gated(run, names, settings, resources), resources.store, resources.lake)


def publish(process_run: str, settings: Settings) -> RunReport:
    """Publish an extracted process run in place of the rows that are there, once; its report.

    Raises what `compare` raises, and GateError if the gate would hold new rows back while old ones are published: these then stay.
    """
    with open_resources(settings) as resources:
        run, names = _run_and_segments(process_run, settings, resources)
        store, lake, ledger = resources.store, resources.lake, resources.ledger
        if ledger.published_at(process_run) is None:
            _refuse_loss(run, _gated(run, names, settings, resources), resources)
            reread_changed(run, store, lake, ledger)
        reached("reprocess.before.publish")
        report = publish_run(run, names, store, lake, ledger, code_version(), _folders(settings))
    refresh_lake_file(settings)
    return report


def _gated(run: ProcessRun, names: Sequence[str], settings: Settings, resources: Resources) -> GateMark:
    """The mark of the gate for the lake as it is now. Portions before this one may have been published since it passed."""
    store, lake, ledger = resources.store, resources.lake, resources.ledger
    base = current_base(run, lake, ledger)
    passed = read_gate_mark(store, run.process_run, base.key())
    mark = read_resolve_mark(store, run.process_run)
    if passed is not None and mark is not None and mark.base == base:
        return passed
    refuse_other_code(run, code_version())
    if mark is None or mark.base != base:
        mark = resolve_run(run, names, store, lake, ledger)
    return gate_run(run, mark, store, lake, ledger, _folders(settings))


def _refuse_loss(run: ProcessRun, passed: GateMark, resources: Resources) -> None:
    """Raise GateError if rows that are published would give way to rows that are held back."""
    for table in replaced_rows(run, "captures", ["crawl_run", "outcomes"], resources.store, resources.lake) if passed.held else ():
        for row in table.filter(pc.is_in(table["crawl_run"], pa.array(sorted(passed.held), pa.string()))).to_pylist():
            held = passed.held[row["crawl_run"]]
            lost = next((one for one in row["outcomes"] or () if one["dataset"] in held and one["outcome"] != Outcome.REJECTED), None)
            if lost is not None:
                raise GateError(
                    f"The new rows of {lost['dataset']} of {row['crawl_run']} break a critical expectation: {held[lost['dataset']]}. "
                    "Nothing of this portion was published, and the rows of before stay. Correct the definition or the expectation; or "
                    f"`crawlhouse rollback {row['crawl_run']}`, then `crawlhouse gate accept` publishes them in spite of it."
                )


def _run_and_segments(process_run: str, settings: Settings, resources: Resources) -> tuple[ProcessRun, list[str]]:
    return resources.ledger.process_run(process_run), segments(process_run, settings)


def _folders(settings: Settings) -> list[str]:
    return [str(folder) for folder in settings.module_folders()]
