"""Runs. A crawl run fetches, a process run extracts and publishes. Both have everything that decides their result."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

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


class RunKind(StrEnum):
    """Why a process run was made: for new crawl runs, or to replace rows of published ones."""

    PROCESS = "process"
    RELEASE = "release"  # rows of quarantine are published as they are
    RETRY = "retry"  # rows of quarantine are judged again, because somebody asked for it
    REJUDGE = "rejudge"  # the same, because the rules changed
    DROP = "drop"  # rows of quarantine are removed for good
    ACCEPT = "accept"  # rows that the gate held back are published
    REPROCESS = "reprocess"  # rows are made again from stored captures, under the code and the rules of that time
    ROLLBACK = "rollback"  # all rows of crawl runs are taken out
    ERASE = "erase"  # the rows of URLs are taken out for good


@dataclass(frozen=True, slots=True)
class Replacement:
    """What a process run of another kind than `process` replaces, and who decided it.

    `replaces` are the process runs whose records get new outcomes, sorted. `decided_by` and `reason` are None if nobody was asked.
    Crawl runs from this run's first to `until_run` are going to be replaced: until then no row is compared with theirs. `is_selection`:
    only some records are replaced, those that are listed under `schemas.keys.selection_key`.
    """

    kind: RunKind
    replaces: tuple[str, ...]
    decided_by: str | None = None
    reason: str | None = None
    until_run: str | None = None
    is_selection: bool = False

    @property
    def makes_rows_again(self) -> bool:
        """Whether whole records are processed again, so that they are compared with what there was before they were fetched."""
        return self.kind in {RunKind.ACCEPT, RunKind.REPROCESS}


@dataclass(frozen=True, slots=True)
class ProcessRun:
    """One processing of closed crawl runs; its id is a digest of everything that decides its result.

    `memory_version` and `base_snapshot` are the site memory and the lake that the run compares with. `crawl_runs` is sorted. `datasets`
    are the definitions of the crawl's datasets as they were when the run was planned; none means `articles` alone. A run that replaces has
    only the datasets whose rows it replaces.
    """

    process_run: str
    crawl: Crawl
    crawl_runs: tuple[str, ...]
    code_version: str
    config_hash: str
    memory_version: int
    base_snapshot: int | None
    datasets: tuple[Dataset, ...] = ()
    replacement: Replacement | None = None

    @property
    def kind(self) -> RunKind:
        """Why the run was made."""
        return RunKind.PROCESS if self.replacement is None else self.replacement.kind

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


def replacing_run_id(replacement: Replacement, contents: Sequence[str], crawl_runs: Sequence[str], code_version: str, config: str) -> str:
    """The id of a process run that replaces: `p-` and 16 hex digits of SHA-256. `contents` names what is replaced; its order is free."""
    decision = [replacement.kind, list(replacement.replaces), replacement.decided_by, replacement.reason]
    inputs = [decision, sorted(contents), sorted(crawl_runs), code_version, config]
    return "p-" + hashlib.sha256(json.dumps(inputs).encode()).hexdigest()[:16]


def reading_digest(crawl: Crawl, dataset: Dataset) -> str:
    """A digest of all that decides which rows of a dataset a page has, but for our own code: 16 hex digits of SHA-256.

    Of `articles` these are the options of the crawl. What steps and expectations make of an article is not part of it.
    """
    of_dataset = crawl.articles.model_dump(mode="json") if dataset.is_built_in else dataset.digest()
    content = [of_dataset, crawl.politeness.opt_outs, crawl.politeness.forbidden_uses()]
    return hashlib.sha256(json.dumps(content, sort_keys=True, default=str).encode()).hexdigest()[:16]


def config_hash(crawl: Crawl, datasets: Sequence[Dataset] = ()) -> str:
    """A digest of a crawl's configuration, and of the definitions of its datasets: 16 hex digits of SHA-256.

    The time zone of its schedule, who looks after it and is told of what, and how long its rows are kept decide no row.
    """
    definitions = [(dataset.name, dataset.digest(), dataset.rules_digest()) for dataset in datasets]
    text = crawl.model_dump_json(exclude={"timezone", "notify", "owner", "retention"}) + (json.dumps(definitions) if definitions else "")
    return hashlib.sha256(text.encode()).hexdigest()[:16]
