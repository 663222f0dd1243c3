"""### Daily export of the articles

Writes the latest articles of the lake into one Parquet file a day, for those who do not read Iceberg. Put this file into the `dags/` folder
of your project. To export as soon as there are new rows, give it `schedule=[Asset("crawlhouse://articles")]`: each publish that adds rows
makes an event, whose `extra` has the crawl, the counts, the sequence and the snapshot. Airflow does nothing with this DAG until you switch
it on in the UI.
"""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

from airflow.sdk import DAG, task

TABLE = "articles"  # or a dataset of your own
FOLDER = Path(os.environ.get("EXPORT_FOLDER") or Path(os.environ.get("CRAWLHOUSE_HOME", "var")) / "exports")


@task(retries=2, retry_delay=timedelta(minutes=5), execution_timeout=timedelta(hours=1))
def export(day: str) -> str:
    """Write the rows, one batch at a time, under a temporary name first. Exporting a day again replaces its file."""
    import pyarrow.parquet as pq  # here, not above: Airflow reads this file every few seconds

    import crawlhouse

    FOLDER.mkdir(parents=True, exist_ok=True)
    path = FOLDER / f"{TABLE}-{day}.parquet"
    partial = path.with_suffix(".partial")
    rows = crawlhouse.open().table(TABLE, latest=True)
    with pq.ParquetWriter(partial, rows.schema, compression="zstd") as out:
        for batch in rows.batches():
            out.write_batch(batch)
    partial.replace(path)
    return str(path)


with DAG(
    dag_id="daily_export",
    description=f"The latest {TABLE} as one Parquet file a day",
    doc_md=__doc__,
    schedule="0 5 * * *",
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    catchup=False,
    max_active_runs=1,
    tags={"export"},
):
    export("{{ dag_run.run_after | ds }}")  # every run has this date: scheduled, by hand, or on fresh rows
