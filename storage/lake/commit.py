"""The commit of a publication: the tables of the lake and the entry in the ledger together, only by the holder of the publish lock.

On PostgreSQL it is one transaction. On SQLite, catalog and ledger are two files: the catalog's transaction comes first and is the commit.
If the process dies before the second one, the missing entry in the ledger is added later, from the snapshots of `runs`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from pyiceberg.table import Table
from sqlalchemy import Connection

from runtime.failpoint import reached
from storage.lake.lake import Lake, committed_runs, snapshot_of
from storage.lake.staged_metadata import Staged, delete_old_metadata, move_pointers
from storage.lake.tables import remember_metadata
from storage.ledger.ledger import Ledger, insert_publication


def commit(
    lake: Lake,
    ledger: Ledger,
    token: int,
    staged: Sequence[Staged],
    process_run: str | None = None,
    check: Callable[[Connection], None] = lambda _: None,
) -> None:
    """Commit what was staged, to all tables or to none. If a process run is named, it becomes published.

    `check` may refuse the commit by raising an error, inside the ledger's transaction.

    Raises FencedError if another process has taken the publish lock since this token was given, and LakeMovedError if a table has changed
    since it was checked. Then nothing is committed; the staged files become orphans, which maintenance deletes.
    """
    with ledger.fenced(token) as ledger_connection:
        check(ledger_connection)
        with lake.catalog_transaction(ledger_connection) as catalog:
            move_pointers(catalog, staged)
        reached("publish.after.catalog")
        if process_run is not None:
            insert_publication(ledger_connection, process_run, {one.name: one.snapshot_id for one in staged})
    for one in staged:
        remember_metadata(one.location, one.metadata)
    delete_old_metadata(staged)


def repair_publications(lake: Lake, ledger: Ledger, tables: Mapping[str, Table] | None = None) -> bool:
    """Enter process runs as published whose commit is in the lake, but not in the ledger; whether there were any.

    `tables` are the lake's as they are now, if the caller has them.
    """
    unmarked = ledger.unpublished()
    if not unmarked:
        return False
    committed = sorted(unmarked & committed_runs(tables["runs"] if tables is not None else lake.table("runs")))
    for process_run in committed:
        commits = {name: snapshot_of(table, process_run) for name, table in lake.tables().items()}
        ledger.mark_published(process_run, {name: snapshot for name, snapshot in commits.items() if snapshot is not None})
    return bool(committed)
