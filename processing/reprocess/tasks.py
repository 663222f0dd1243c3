"""What the tasks of the DAG `reprocess_<crawl>` call: the same steps as the command's, with plain values in and out."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from processing.extract.item_rows import item_datasets
from processing.reprocess.again import compare
from processing.reprocess.comparison import Comparison
from processing.reprocess.portions import plan
from processing.reprocess.selection import Selected
from processing.resources import open_resources
from schemas.config.settings import Settings
from schemas.errors import ConfigError
from schemas.numbers import plural

LOG = logging.getLogger(__name__)


def plan_again(crawl: str, wanted: Mapping[str, Any], settings: Settings) -> list[str]:  # Any: texts and booleans
    """The ids of the process runs that a selection needs. `wanted` are the fields of `Selected`, `since` as text.

    Raises what planning raises.
    """
    since = wanted.get("since") or None
    selected = Selected(
        wanted.get("run") or None,
        None if since is None else read_time(since),
        wanted.get("url") or None,
        bool(wanted.get("quarantined")),
        wanted.get("dataset") or None,
    )
    with open_resources(settings) as resources:
        found = plan(crawl, selected, settings, resources)
    for why, names in (("not processed yet", found.new), ("segments removed", found.removed), ("discarded", found.discarded)):
        if names:
            LOG.info("Left out, %s: %s.", why, ", ".join(names))
    return [run.process_run for run in found.process_runs]


def read_time(text: str) -> datetime:
    """A date or a time as people write it; without a zone it is UTC. Raises ConfigError."""
    try:
        found = datetime.fromisoformat(text.strip())
    except ValueError as error:
        raise ConfigError(f"{text!r} is no date. Write it like 2026-03-01 or 2026-03-01T12:00.") from error
    return found if found.tzinfo is not None else found.replace(tzinfo=UTC)


def with_spider(process_runs: Sequence[str], settings: Settings) -> list[str]:
    """The process runs for which the crawl's own spider is to be called: a dataset takes its items."""
    with open_resources(settings) as resources:
        runs = [resources.ledger.process_run(name) for name in process_runs]
    return [run.process_run for run in runs if item_datasets(run) and run.crawl.has_own_spider()]


def compare_all(process_runs: Sequence[str], settings: Settings) -> list[str]:
    """What would change, in lines for people."""
    whole = Comparison()
    for name in process_runs:
        whole.add(compare(name, settings))
    return list(_lines(whole))


def _lines(compared: Comparison) -> Iterator[str]:
    yield f"{plural(compared.records, 'record', 'is', 'are')} processed again"
    for name, changes in sorted(compared.datasets.items()):
        yield (
            f"{name}: {plural(changes.before, 'row')} now, {changes.after:,} then; {changes.added:,} added, {changes.lost:,} lost, "
            f"{changes.changed:,} changed"
        )
        yield from (f"  {field}: {count:,}" for field, count in changes.fields.most_common())
    for example in compared.examples:
        yield f"{example.dataset} {example.url}: {example.before} -> {example.after}"
    yield from (f"would be held back: {sentence}" for sentence in compared.held)
    yield from (f"expectation not met: {sentence}" for sentence in compared.failed)
