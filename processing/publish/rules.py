"""By which rules rows were made and judged: a digest, so that one can see whether they have changed since."""

from __future__ import annotations

import hashlib
import json

from processing.publish.accounting import ARTICLES
from processing.resolve.earlier_dataset_rows import rows_digest
from schemas.config.crawl import Crawl
from schemas.datasets.dataset import Dataset
from schemas.runs import ProcessRun

RULES = "rules"  # the key in `runs.statistics`


def rules_digest(crawl: Crawl, dataset: Dataset, code_version: str) -> str:
    """A digest of all by which rows of a dataset are made and judged one by one: 16 hex digits of SHA-256.

    That is the code, the definition with its expectations, and what the crawl's file says of such rows.
    """
    of_crawl = [one.model_dump(mode="json") for one in crawl.expectations.get(dataset.name, ())]
    options = crawl.articles.model_dump(mode="json") if dataset.name == ARTICLES else None
    content = [code_version, rows_digest(dataset), of_crawl, options]
    return hashlib.sha256(json.dumps(content, sort_keys=True, default=str).encode()).hexdigest()[:16]


def rules_of(run: ProcessRun) -> dict[str, str]:
    """The rules of each dataset of a process run."""
    datasets = run.datasets or (Dataset(name=ARTICLES),)
    return {dataset.name: rules_digest(run.crawl, dataset, run.code_version) for dataset in datasets}
