"""Runs. A crawl run fetches, a process run extracts and publishes. Both have everything that decides their result."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from schemas.config.crawl import Crawl


@dataclass(frozen=True, slots=True)
class CrawlRun:
    """One run of a crawl, its configuration pinned when it was planned.

    `crawl_run` is `<crawl>-<YYYYMMDDTHHMMSSZ>-<6 hex>`; planning twice with the same `key` gives the same run.
    """

    crawl_run: str
    crawl: Crawl
    key: str
    planned_at: datetime
    code_version: str
    config_hash: str


@dataclass(frozen=True, slots=True)
class ProcessRun:
    """One processing of closed crawl runs; its id is a digest of everything that decides its result.

    `memory_version` and `base_snapshot` are the site memory and the lake that the run compares with. `crawl_runs` is sorted.
    """

    process_run: str
    crawl: Crawl
    crawl_runs: tuple[str, ...]
    code_version: str
    config_hash: str
    memory_version: int
    base_snapshot: int | None


def process_run_id(crawl_runs: Sequence[str], code_version: str, config_hash: str, memory_version: int, base_snapshot: int | None) -> str:
    """The id of the process run that these inputs make: `p-` and 16 hex digits of SHA-256."""
    inputs = [sorted(crawl_runs), code_version, config_hash, memory_version, base_snapshot]
    return "p-" + hashlib.sha256(json.dumps(inputs).encode()).hexdigest()[:16]


def config_hash(crawl: Crawl) -> str:
    """A digest of a crawl's configuration: 16 hex digits of SHA-256."""
    return hashlib.sha256(crawl.model_dump_json().encode()).hexdigest()[:16]
