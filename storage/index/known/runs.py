"""The runs of one table's index in the store: listed, added, replaced and deleted. Any number of processes may do so at the same time.

A data file may be in several runs, after a merge or when two processes have added it: `known_rows` takes its rows from one of them.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import timedelta

import pyarrow as pa

from runtime.failpoint import reached
from runtime.scratch import scratch_folder
from schemas.errors import StorageError
from schemas.keys import KNOWN_PREFIX
from storage.index.known.run_file import OpenRun, RunMark, RunWriter, schema_text
from storage.objects.store import ObjectStore

KEEP_REPLACED = timedelta(hours=1).total_seconds()  # a look-up that has begun may still read a run that is replaced
KEEP_UNMARKED = timedelta(days=1).total_seconds()  # far longer than writing a run takes

Fill = Callable[[RunWriter], None]


@dataclass(frozen=True, slots=True)
class Runs:
    """The runs of a table's index whose rows have the form `form`."""

    store: ObjectStore
    table: str
    form: str

    def complete(self) -> list[OpenRun]:
        """The runs that are complete and not replaced, the largest first."""
        marks = self._marks()
        replaced = {name for mark in marks for name in mark.replaces}
        runs = [self._open(mark) for mark in marks if mark.form == self.form and mark.run_id not in replaced]
        return sorted(runs, key=lambda run: (-run.mark.row_count, run.mark.run_id))

    def add(self, files: Iterable[str], schema: pa.Schema, fill: Fill, replaces: Iterable[OpenRun] = ()) -> OpenRun:
        """Write a run with the rows that `fill` adds. If the process dies before the end, it is not there."""
        made_at, named = time.time(), tuple(files)
        run_id = f"{int(made_at * 1000):013d}-{secrets.token_hex(4)}"
        with scratch_folder() as folder:
            writer = RunWriter(folder, schema)
            fill(writer)
            offsets, lists = writer.finish()
            reached("known.before.rows")
            self.store.put_file(self._key(run_id, "bin"), writer.path)
        mark = RunMark(
            run_id, self.table, self.form, made_at, named, writer.counts(len(named)), writer.row_count, schema_text(schema), offsets, lists,
            replaces=tuple(run.mark.run_id for run in replaces),
        )  # fmt: skip
        reached("known.before.mark")
        self.store.put_bytes(self._key(run_id, "json"), mark.to_json())
        reached("known.after.mark")
        return self._open(mark)

    def delete_old(self, now: float | None = None) -> int:
        """Delete the runs that were replaced some time ago, those of another form, and what killed processes left; the number of runs."""
        now = time.time() if now is None else now
        marks = {mark.run_id: mark for mark in self._marks()}
        replaced_at = {name: mark.made_at for mark in marks.values() for name in mark.replaces}
        old = [name for name, mark in marks.items() if mark.form != self.form or now - replaced_at.get(name, now) > KEEP_REPLACED]
        for name in old:
            self.delete(name)
        for info in list(self.store.list(self._prefix)):
            run_id = info.key.removeprefix(self._prefix).partition(".")[0]
            if run_id not in marks and _age(run_id, now) > KEEP_UNMARKED:
                self.store.delete(info.key)
        return len(old)

    def delete(self, run_id: str) -> None:
        """Delete a run, its mark first: without it nobody begins to read the run."""
        self.store.delete(self._key(run_id, "json"))
        self.store.delete(self._key(run_id, "bin"))

    @property
    def _prefix(self) -> str:
        return f"{KNOWN_PREFIX}{self.table}/"

    def _key(self, run_id: str, kind: str) -> str:
        return f"{self._prefix}{run_id}.{kind}"

    def _open(self, mark: RunMark) -> OpenRun:
        return OpenRun(mark, self._key(mark.run_id, "bin"), self.store)

    def _marks(self) -> list[RunMark]:
        return list(self._read_marks())

    def _read_marks(self) -> Iterator[RunMark]:
        for info in self.store.list(self._prefix):
            if info.key.endswith(".json"):
                try:
                    data = self.store.get_bytes(info.key)
                except StorageError:  # another process has just deleted it
                    continue
                yield RunMark.from_json(data)


def _age(run_id: str, now: float) -> float:
    stamp = run_id.partition("-")[0]
    return now - int(stamp) / 1000 if stamp.isdigit() else now
