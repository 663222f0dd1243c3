"""Erase URLs, step by step. Each step again changes nothing, so an erasure that was interrupted goes on when it is begun again.

The takedown list comes first: from then on no reader is shown the rows, and no worker fetches the URLs. Then the archive, so that nothing
can be read from it any more, then what was made of it. At the end it is looked again: another process may have published what it had read
before.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from processing.erase.archive import erase_records
from processing.erase.derived import delete_staged, erase_memories, erase_mentions
from processing.erase.dirty import DirtyRows
from processing.erase.find import count_rows, find
from processing.erase.home import erase_home
from processing.erase.plan import Plan, pending_plans
from processing.erase.receipt import Receipt, make_receipt, other_copies, store_receipt
from processing.erase.scope import Scope
from processing.erase.tables import affected_process_runs, erase_rows
from processing.known.upkeep import purge_index
from processing.resources import Resources, open_resources
from runtime.failpoint import reached
from schemas.config.settings import Settings
from schemas.errors import ConflictError, LakeMovedError
from schemas.numbers import plural
from storage.database.dead_rows import remove_dead_rows
from storage.database.locks import hold_lock
from storage.frontier.admin.erasing import ErasedRows, count_urls, erase_urls, found_on
from storage.lake.reader.lake_file import KEY as LAKE_FILE
from storage.lake.reader.lake_file import refresh_lake_file
from storage.lake.takedown import add_takedowns
from storage.lake.upkeep.erased import delete_files, forget_snapshots

LOG = logging.getLogger(__name__)
LOCK_KEY = 7_205_762  # arbitrary
LOCK_SECONDS = 10.0  # for another erasure to end
GRACE_SECONDS = 10.0  # between the commit and the deletion of files: for queries that have begun
UNFINISHED = timedelta(hours=1)  # longer than any object is being written
ROUNDS = 5  # of looking again
ATTEMPTS = 5  # of a commit, while others change the table

Progress = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Preview:
    """What would be erased: records of the archive, URLs of the frontier, and rows of each table."""

    records: int
    urls: int
    rows: dict[str, int]
    found_on: tuple[str, ...]


def preview(entries: Sequence[str], settings: Settings) -> Preview:
    """What an erasure would erase now. Changes nothing. Raises ConfigError for what is no entry."""
    scope = Scope(entries)
    with open_resources(settings) as resources:
        plan = _new_plan(scope, "", "")
        find(plan, scope, resources)
        rows = {name: count for name, count in count_rows(plan, scope, resources).items() if count}
        database, text = resources.ledger.database, scope.erased_text()
        records = sum(map(len, plan.records.values()))
        return Preview(records, count_urls(database, text), rows, tuple(sorted(found_on(database, text))))


def erase(
    entries: Sequence[str],
    decided_by: str,
    reason: str,
    settings: Settings,
    progress: Progress = lambda _: None,
    grace_seconds: float = GRACE_SECONDS,
) -> list[Receipt]:
    """Erase what the entries cover, and put them on the takedown list; the receipts, that of an interrupted erasure first.

    Files are deleted `grace_seconds` after the commit that took their rows out. Raises ConfigError for what is no entry, ConflictError
    while another process erases, UnavailableError, StorageError.
    """
    scope = Scope(entries)
    with hold_lock(settings, LOCK_KEY, LOCK_SECONDS, "erasing"), open_resources(settings) as resources:
        wanted = _new_plan(scope, decided_by, reason)
        plans = {plan.name: plan for plan in pending_plans(resources.store)}
        plans.setdefault(wanted.name, wanted)
        work = _Erasing(settings, resources, progress, grace_seconds)
        return [work.carry_out(plan, Scope(plan.entries)) for plan in sorted(plans.values(), key=lambda plan: plan.name == wanted.name)]


def _new_plan(scope: Scope, decided_by: str, reason: str) -> Plan:
    return Plan(scope.entries, decided_by, reason, datetime.now(UTC).isoformat(timespec="seconds"))


@dataclass(frozen=True, slots=True)
class _Erasing:
    """The steps of an erasure."""

    settings: Settings
    resources: Resources
    progress: Progress
    grace_seconds: float

    def carry_out(self, plan: Plan, scope: Scope) -> Receipt:
        """Erase what a plan covers, until nothing is found any more."""
        store = self.resources.store
        stamp = f"{plan.begun_at[:10]} {plan.reason}"
        add_takedowns(self.settings, store, plan.entries, stamp)
        plan.save(store)
        refresh_lake_file(self.settings)
        reached("erase.before.find")
        done = ErasedRows()
        for number in range(ROUNDS):
            self.progress("find what to erase")
            is_new = find(plan, scope, self.resources)
            rows = count_rows(plan, scope, self.resources)
            if number and not is_new and not any(rows.values()):
                break
            plan.counts.update({f"rows of {name}": count for name, count in rows.items()})
            plan.process_runs.update(affected_process_runs(plan, self.resources))
            plan.pages |= found_on(self.resources.ledger.database, scope.erased_text())
            plan.save(store)
            done = self._round(plan, scope)
        else:
            raise ConflictError("Others keep adding what is to be erased: end their runs, then run this again.")
        return self._end(plan, scope, done)

    def _round(self, plan: Plan, scope: Scope) -> ErasedRows:
        resources = self.resources
        self.progress("the archive")
        erase_records(plan, scope, resources)
        reached("erase.before.staged")
        delete_staged(plan, resources.store)
        self.progress("the tables")
        erase_rows(plan, scope, resources)
        delete_staged(plan, resources.store)  # a process that went on meanwhile may have staged some again
        self._forget(plan, scope)
        reached("erase.before.files")
        if self.grace_seconds:
            self.progress(f"wait {self.grace_seconds:.0f} s for queries that have begun")
            time.sleep(self.grace_seconds)
        self._delete_files(plan, scope)
        self.progress("the index, site memories and reports")
        purge_index(self.settings)
        erase_memories(plan, resources)
        erase_mentions(plan, scope, resources.store)
        reached("erase.before.frontier")
        self.progress("the frontier")
        done = erase_urls(resources.ledger.database, scope.erased_text())
        plan.counts.update({"URLs of the frontier": done.urls, "mentions in the database": done.mentions, "hosts": done.hosts})
        plan.save(resources.store)
        reached("erase.before.vacuum")
        remove_dead_rows(self.settings)
        erase_home(plan, scope, self.settings)
        resources.store.delete_unfinished(datetime.now(UTC) - UNFINISHED)
        if not refresh_lake_file(self.settings):  # the one of before names what is taken down
            resources.store.delete(LAKE_FILE)
        return done

    def _forget(self, plan: Plan, scope: Scope) -> None:
        """Remove the snapshots of each table that have erased rows."""
        dirty = DirtyRows(plan, scope)
        lake, ledger = self.resources.lake, self.resources.ledger
        for name in lake.tables():
            reached(f"erase.before.snapshots.{name}")
            for attempt in range(ATTEMPTS):
                try:
                    plan.counts["snapshots"] += forget_snapshots(lake, ledger, name, dirty, dirty.cleaned_runs if name == "runs" else None)
                    break
                except LakeMovedError:
                    if attempt == ATTEMPTS - 1:
                        raise
        refresh_lake_file(self.settings)

    def _delete_files(self, plan: Plan, scope: Scope) -> None:
        dirty, lake = DirtyRows(plan, scope), self.resources.lake
        for name in lake.tables():
            plan.counts["data files"] += delete_files(lake, name, dirty)
            reached(f"erase.after.files.{name}")

    def _end(self, plan: Plan, scope: Scope, done: ErasedRows) -> Receipt:
        """The receipt; the plan stays if a run that is not closed has some of it."""
        store = self.resources.store
        self._delete_files(plan, scope)  # others may have joined files meanwhile, and failed to commit that
        waiting = (
            [f"{plural(done.waiting, 'URL', 'belongs', 'belong')} to a run that is not closed. Run this again when it is."]
            if done.waiting
            else []
        )
        others = other_copies(scope, self.settings, store)
        others += [f"{page} links to it: its own captures have the link." for page in sorted(plan.pages)]
        process_runs = [name for name in affected_process_runs(plan, self.resources) if self._is_erasure(name)]
        receipt = make_receipt(plan, waiting, others, process_runs)
        store_receipt(receipt, store)
        reached("erase.before.end")
        if receipt.is_complete:
            plan.forget(store)
        return receipt

    def _is_erasure(self, process_run: str) -> bool:
        run = self.resources.ledger.process_run(process_run)
        return run.kind == "erase"
