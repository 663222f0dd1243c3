"""The layout of object keys: where each object is in the store. Keys are made from identities, so running again writes the same objects."""

from __future__ import annotations

import re

STAMP = re.compile(r"-(\d{8}T\d{6}Z)-[^-]*$")  # in the name of a crawl run
TASK_LOGS = "airflow-logs/"  # of Airflow's tasks, by Airflow's own path


WARC_SUFFIX = ".warc.gz"


def warc_prefix(crawl: str | None = None) -> str:
    """Where the segments of a crawl are, or of all crawls."""
    return "warc/" if crawl is None else f"warc/{crawl}/"


def adopted_key(crawl: str, digest: str) -> str:
    """The mark that a WARC file with this SHA-256 was adopted wholly (JSON). It is written last."""
    return f"adopted/{crawl}/{digest}.json"


def segment_key(crawl: str, crawl_run: str, segment: str) -> str:
    """A WARC segment; `segment` is unique over all workers and attempts."""
    return f"warc/{crawl}/{crawl_run}/{segment}.warc.gz"


def index_key(crawl: str, crawl_run: str, segment: str) -> str:
    """The capture index of one segment (Parquet)."""
    return f"index/{crawl}/{crawl_run}/{segment}.parquet"


def crawl_run_of(segment_key: str) -> str:
    """The crawl run that fetched a segment."""
    return segment_key.split("/")[2]


def crawl_of(segment_key: str) -> str:
    """The crawl that fetched a segment, by its name of then."""
    return segment_key.split("/")[1]


def segment_of(segment_key: str) -> str:
    """The name of a segment."""
    return segment_key.split("/")[3].removesuffix(".warc.gz")


def planned_stamp(crawl_run: str) -> str:
    """When a crawl run was planned, as its name says it, to the second. Sorts by time; empty for a name of another form."""
    found = STAMP.search(crawl_run)
    return "" if found is None else found[1]


def index_key_of(segment_key: str) -> str:
    """The capture index of a segment, from the segment's own key."""
    return index_key(crawl_of(segment_key), crawl_run_of(segment_key), segment_of(segment_key))


def cdxj_key(crawl: str, crawl_run: str) -> str:
    """The CDXJ of a whole crawl run, made when it closes."""
    return f"cdxj/{crawl}/{crawl_run}.cdxj"


def statistics_prefix(crawl: str) -> str:
    """Where the statistics of all workers of a crawl are."""
    return f"statistics/{crawl}/"


def statistics_key(crawl: str, crawl_run: str, worker: str, attempt: int) -> str:
    """The statistics of one attempt of a worker (JSON). They are written again with every segment that it registers."""
    return f"{statistics_prefix(crawl)}{crawl_run}/{worker}-{attempt:03d}.json"


def segment_items_key(crawl: str, crawl_run: str, segment: str) -> str:
    """The items that a user's spider made from one segment's pages (JSON lines, gzip). They count when the segment is registered."""
    return f"items/{crawl}/{crawl_run}/{segment}.jsonl.gz"


def items_key(crawl: str, crawl_run: str) -> str:
    """The items of a whole crawl run, joined when it closes (JSON lines, gzip)."""
    return f"items/{crawl}/{crawl_run}.jsonl.gz"


def segment_item_types_key(crawl: str, crawl_run: str, segment: str) -> str:
    """The classes of one segment's items and the types of their fields (JSON)."""
    return f"items/{crawl}/{crawl_run}/{segment}.types.json"


def segment_item_problems_key(crawl: str, crawl_run: str, segment: str) -> str:
    """Why items of one segment's pages are missing, if any are (JSON lines, gzip)."""
    return f"items/{crawl}/{crawl_run}/{segment}.problems.jsonl.gz"


def item_types_key(crawl: str, crawl_run: str) -> str:
    """The classes of all items of a crawl run and the types of their fields, put together at its close (JSON)."""
    return f"items/{crawl}/{crawl_run}.types.json"


def manifest_key(crawl: str, crawl_run: str) -> str:
    """The manifest of a closed crawl run."""
    return f"manifests/{crawl}/{crawl_run}.json"


def extracted_key(process_run: str, segment: str) -> str:
    """The rows that `extract` staged from one segment (Parquet). They are sorted by the column of the host bucket."""
    return f"staging/{process_run}/extracted/{segment}.parquet"


def extracted_rows_key(process_run: str, dataset: str, segment: str) -> str:
    """The rows of a dataset that `extract` staged from one segment (Parquet)."""
    return f"staging/{process_run}/rows/{dataset}/{segment}.parquet"


def extracted_failures_key(process_run: str, segment: str) -> str:
    """The datasets whose steps broke on the rows of one segment (JSON). It is there only if there are any."""
    return f"staging/{process_run}/rows/@failures/{segment}.json"


def revisits_key(process_run: str, segment: str) -> str:
    """The revisits of one segment whose pages are read again, and for which datasets (JSON). It is there only if there are any."""
    return f"staging/{process_run}/revisits/{segment}.json"


def resolved_rows_key(process_run: str, base: str, dataset: str, table: str) -> str:
    """What `resolve` staged for a dataset and one table (Parquet): its rows, those for quarantine, or sightings."""
    return f"staging/{process_run}/resolved/{base}/{dataset}.{table}.parquet"


def resolved_key(process_run: str, base: str, part: int, table: str) -> str:
    """The rows that `resolve` staged for one part and one table (Parquet). `base` names the snapshot it compared with."""
    return f"staging/{process_run}/resolved/{base}/{table}/{part:03d}.parquet"


def cleaned_key(process_run: str, memory_version: int, part: int) -> str:
    """The rows of one part, cleaned by a version of the site memory with the run's own pages (Parquet).

    A part is some host buckets that follow one another; the number is that of the first.
    """
    return f"staging/{process_run}/cleaned/{memory_version:08d}/{part:03d}.parquet"


def reread_prefix(process_run: str, portion: int | None = None) -> str:
    """The prefix of the rows of committed versions that were read again, for one portion of the run's records or all."""
    return f"staging/{process_run}/reread/" + ("" if portion is None else f"{portion:05d}/")


def reread_key(process_run: str, portion: int, name: str) -> str:
    """The rows of some committed versions that were read again (Parquet)."""
    return f"{reread_prefix(process_run, portion)}{name}.parquet"


def gated_key(process_run: str, base: str, table: str) -> str:
    """The rows that `gate` passed for publishing to one table (Parquet).

    `base` names the snapshot that they were compared with: rows that were decided against another snapshot have another key. It is empty
    in the keys of earlier releases.
    """
    return "/".join(part for part in ("staging", process_run, "gated", base, f"{table}.parquet") if part)


def judged_key(process_run: str, digest: str, kind: str) -> str:
    """What Great Expectations said of some rows of a process run (`json`), and which rows are at fault (`parquet`).

    `digest` is that of the rows and what is expected of them.
    """
    return f"staging/{process_run}/judged/{digest}.{kind}"


def data_files_key(process_run: str, table: str, digest: str) -> str:
    """The description of the data files that are written for some of a process run's rows, and not committed yet (MessagePack).

    `digest` is that of the rows.
    """
    return f"{data_files_prefix(process_run)}{table}/{digest}"


def data_files_prefix(process_run: str) -> str:
    """The prefix of the descriptions of a process run's data files."""
    return f"staging/{process_run}/files/"


def staged_memory_key(process_run: str, version: int | None) -> str:
    """The site memory of a version and the process run's own pages (Parquet). Publishing makes it the crawl's next version.

    Without a version: the key of earlier releases.
    """
    return f"staging/{process_run}/memory.parquet" if version is None else f"staging/{process_run}/memory/{version:08d}.parquet"


def mark_key(process_run: str, stage: str, base: str = "") -> str:
    """The completion mark of a stage of a process run (JSON). It is written last. `base` is as in `gated_key`."""
    return f"staging/{process_run}/{stage}{'-' if base else ''}{base}.json"


def selection_key(process_run: str) -> str:
    """The records that a process run replaces, if they are not all of its crawl runs (JSON: WARC file -> offsets)."""
    return f"staging/{process_run}/selection.json"


def replayed_prefix(process_run: str, crawl_run: str) -> str:
    """The prefix of what a user's spider made of a crawl run's stored responses for a process run. The names are those of `items/`."""
    return f"staging/{process_run}/items/{crawl_run}/"


def replayed_key(process_run: str, key: str) -> str:
    """The staged object that takes the place of an object of a segment's items when the process run is published."""
    _, _, crawl_run, name = key.split("/")
    return f"{replayed_prefix(process_run, crawl_run)}{name}"


def report_key(process_run: str, name: str) -> str:
    """A report of a process run, for example `accounting.json` or `expectations.json`."""
    return f"reports/{process_run}/{name}"


def memory_key(crawl: str, version: int) -> str:
    """A version of a crawl's site memory (Parquet)."""
    return f"memory/{crawl}/{version:08d}.parquet"


def memory_prefix() -> str:
    """Where the site memories of all crawls are."""
    return "memory/"


LAKE_PREFIX = "lake"
ADOPTED_PREFIX, REPORTS_PREFIX, STATISTICS_PREFIX = "adopted/", "reports/", "statistics/"
ERASURES_PREFIX = "erasures/"  # receipts (`processing.erase`)
PENDING_ERASURES_PREFIX = f"{ERASURES_PREFIX}pending/"  # those that are not complete
STAGING_PREFIX = "staging/"
KNOWN_PREFIX = "known/"  # the known index (`storage.index.known`)
