"""The layout of object keys: where in the store each thing is. Keys come from identities, so running again equals running once."""

from __future__ import annotations


def segment_key(crawl: str, crawl_run: str, segment: str) -> str:
    """A WARC segment; `segment` is unique over all workers and attempts."""
    return f"warc/{crawl}/{crawl_run}/{segment}.warc.gz"


def index_key(crawl: str, crawl_run: str, segment: str) -> str:
    """The capture index of one segment (Parquet)."""
    return f"index/{crawl}/{crawl_run}/{segment}.parquet"


def index_key_of(segment_key: str) -> str:
    """The capture index of a segment, from the segment's own key."""
    _, crawl, crawl_run, name = segment_key.split("/")
    return index_key(crawl, crawl_run, name.removesuffix(".warc.gz"))


def cdxj_key(crawl: str, crawl_run: str) -> str:
    """The CDXJ of a whole crawl run, derived at its close."""
    return f"cdxj/{crawl}/{crawl_run}.cdxj"


def statistics_prefix(crawl: str) -> str:
    """Where the statistics of all workers of a crawl are."""
    return f"statistics/{crawl}/"


def statistics_key(crawl: str, crawl_run: str, worker: str, attempt: int) -> str:
    """What one attempt of a worker counted, written anew with every segment that it registers (JSON)."""
    return f"{statistics_prefix(crawl)}{crawl_run}/{worker}-{attempt:03d}.json"


def segment_items_key(crawl: str, crawl_run: str, segment: str) -> str:
    """What a spider of the user's made of one segment's pages (JSON lines, gzip); it counts when the segment is registered."""
    return f"items/{crawl}/{crawl_run}/{segment}.jsonl.gz"


def items_key(crawl: str, crawl_run: str) -> str:
    """The items of a whole crawl run, put together at its close (JSON lines, gzip)."""
    return f"items/{crawl}/{crawl_run}.jsonl.gz"


def manifest_key(crawl: str, crawl_run: str) -> str:
    """The manifest of a closed crawl run."""
    return f"manifests/{crawl}/{crawl_run}.json"


def extracted_key(process_run: str, segment: str) -> str:
    """What `extract` staged from one segment (Parquet); the host bucket is a column by which it is sorted."""
    return f"staging/{process_run}/extracted/{segment}.parquet"


def resolved_key(process_run: str, base: str, bucket: int, table: str) -> str:
    """What `resolve` staged for one host bucket and one table (Parquet); `base` names what it was resolved against."""
    return f"staging/{process_run}/resolved/{base}/{table}/{bucket:03d}.parquet"


def reread_prefix(process_run: str) -> str:
    """Below it stands what committed versions have when they are read again."""
    return f"staging/{process_run}/reread/"


def reread_key(process_run: str, name: str) -> str:
    """What some committed versions have when they are read again (Parquet)."""
    return f"{reread_prefix(process_run)}{name}.parquet"


def gated_key(process_run: str, base: str, table: str) -> str:
    """What `gate` passed on for publishing to one table (Parquet).

    `base` names what it was resolved against, so that nobody overwrites what was decided otherwise. It is empty in what releases before
    this layout staged.
    """
    return "/".join(part for part in ("staging", process_run, "gated", base, f"{table}.parquet") if part)


def staged_memory_key(process_run: str, version: int | None) -> str:
    """The site memory of a version with the process run's own pages, which publishing makes the crawl's next version (Parquet).

    Without a version, where releases before this layout staged it.
    """
    return f"staging/{process_run}/memory.parquet" if version is None else f"staging/{process_run}/memory/{version:08d}.parquet"


def mark_key(process_run: str, stage: str, base: str = "") -> str:
    """The completion mark of a stage of a process run (JSON), written last; `base` as in `gated_key`."""
    return f"staging/{process_run}/{stage}{'-' if base else ''}{base}.json"


def report_key(process_run: str, name: str) -> str:
    """A report of a process run, for example `accounting.json` or `expectations.json`."""
    return f"reports/{process_run}/{name}"


def memory_key(crawl: str, version: int) -> str:
    """A version of a crawl's site memory (Parquet)."""
    return f"memory/{crawl}/{version:08d}.parquet"


LAKE_PREFIX = "lake"
STAGING_PREFIX = "staging/"
