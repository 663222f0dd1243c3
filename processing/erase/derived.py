"""Erase from what is made of pages and rows: staged objects, site memories, reports, statistics, and logs in the store."""

from __future__ import annotations

from collections.abc import Callable

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from processing.clean.site_memory import page_digest
from processing.erase.plan import Plan
from processing.erase.scope import Scope
from processing.resources import Resources
from runtime.failpoint import reached
from runtime.scratch import scratch_folder
from schemas.keys import ADOPTED_PREFIX, REPORTS_PREFIX, STAGING_PREFIX, STATISTICS_PREFIX, TASK_LOGS, memory_prefix
from storage.objects.store import ObjectStore

CLEANED = (REPORTS_PREFIX, STATISTICS_PREFIX, ADOPTED_PREFIX)  # small objects of JSON


def delete_staged(plan: Plan, store: ObjectStore) -> None:
    """Delete what is staged of process runs. Those that are not published are planned anew."""
    for process_run in sorted(plan.process_runs):
        for info in list(store.list(f"{STAGING_PREFIX}{process_run}/")):
            store.delete(info.key)
            plan.counts["staged objects"] += 1


def erase_memories(plan: Plan, resources: Resources) -> None:
    """Erase the pages from all versions of the site memories of their crawls, also of those with another name by now."""
    store = resources.store
    urls = {url for found in plan.urls.values() for url in found}
    digests = pa.array(sorted({page_digest(url) for url in urls}), pa.uint64())
    for info in list(store.list(memory_prefix())):
        with store.open(info.key) as stream, pq.ParquetFile(stream, pre_buffer=False) as file:
            groups = range(file.metadata.num_row_groups)
            if not any(pc.any(pc.is_in(file.read_row_group(group, ["url"])["url"], value_set=digests)).as_py() for group in groups):
                continue
            with scratch_folder() as folder:
                path = folder / "memory"
                with pq.ParquetWriter(path, file.schema_arrow, compression="zstd") as writer:
                    for group in groups:
                        rows = file.read_row_group(group)
                        left = rows.filter(pc.invert(pc.is_in(rows["url"], value_set=digests)))
                        plan.counts["rows of site memories"] += rows.num_rows - left.num_rows
                        if left.num_rows:
                            writer.write_table(left)
                reached("erase.before.memory")
                store.put_file(info.key, path)


def erase_mentions(plan: Plan, scope: Scope, store: ObjectStore) -> None:
    """Take mentions of the URLs out of reports and statistics, and out of the logs of Airflow's tasks that the store has."""
    for prefix in CLEANED:
        for info in list(store.list(prefix)):
            _clean(info.key, scope.json_text, plan, "reports and statistics", store)
    for info in list(store.list(TASK_LOGS)):
        _clean(info.key, scope.text, plan, "task logs", store)


def _clean(key: str, clean: Callable[[str], str], plan: Plan, place: str, store: ObjectStore) -> None:
    text = store.get_bytes(key).decode("utf-8", "surrogateescape")
    cleaned = clean(text)
    if cleaned != text:
        store.put_bytes(key, cleaned.encode("utf-8", "surrogateescape"))
        plan.counts[place] += 1
