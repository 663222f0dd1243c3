"""Runs. A crawl run fetches, a process run extracts and publishes. Both have everything that decides their result."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from schemas.config.crawl import Crawl
from schemas.datasets.dataset import Dataset


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

    `memory_version` and `base_snapshot` are the site memory and the lake that the run compares with. `crawl_runs` is sorted. `datasets`
    are the definitions of the crawl's datasets as they were when the run was planned; none means `articles` alone.
    """

    process_run: str
    crawl: Crawl
    crawl_runs: tuple[str, ...]
    code_version: str
    config_hash: str
    memory_version: int
    base_snapshot: int | None
    datasets: tuple[Dataset, ...] = ()

    @property
    def makes_articles(self) -> bool:
        """Whether the run makes rows of `articles`."""
        return not self.datasets or any(dataset.is_built_in for dataset in self.datasets)

    @property
    def articles(self) -> Dataset | None:
        """The definition of `articles`, with what the user's file adds; None if the run makes none."""
        return next((dataset for dataset in self.datasets if dataset.is_built_in), None) if self.datasets else Dataset(name="articles")

    @property
    def judged_datasets(self) -> tuple[Dataset, ...]:
        """All datasets: `articles`, if the run makes any, then the others."""
        return (*([self.articles] if self.articles is not None else []), *self.own_datasets)

    @property
    def own_datasets(self) -> tuple[Dataset, ...]:
        """The datasets whose rows are made by a definition: all but `articles`."""
        return tuple(dataset for dataset in self.datasets if not dataset.is_built_in)


def process_run_id(crawl_runs: Sequence[str], code_version: str, config_hash: str, memory_version: int, base_snapshot: int | None) -> str:
    """The id of the process run that these inputs make: `p-` and 16 hex digits of SHA-256."""
    inputs = [sorted(crawl_runs), code_version, config_hash, memory_version, base_snapshot]
    return "p-" + hashlib.sha256(json.dumps(inputs).encode()).hexdigest()[:16]


def config_hash(crawl: Crawl, datasets: Sequence[Dataset] = ()) -> str:
    """A digest of a crawl's configuration, and of the definitions of its datasets: 16 hex digits of SHA-256."""
    definitions = [(dataset.name, dataset.digest(), dataset.rules_digest()) for dataset in datasets]
    text = crawl.model_dump_json() + (json.dumps(definitions) if definitions else "")
    return hashlib.sha256(text.encode()).hexdigest()[:16]
