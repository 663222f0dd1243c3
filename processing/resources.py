"""What every step of processing opens: the store, the ledger and the lake of a home; and under which configuration a crawl is processed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from pyiceberg.io.pyarrow import schema_to_pyarrow

from processing.datasets.definitions import crawl_datasets, with_item_fields
from processing.extract.checks.rule_check import check_rules
from processing.workers.heap import bound_heap, trim_heap
from schemas.config.crawl import Crawl
from schemas.config.crawl_file import read_crawl
from schemas.config.settings import Settings
from schemas.datasets.dataset import Dataset
from schemas.datasets.tables import stored_types
from schemas.errors import NotFoundError
from storage.index.items import read_item_types, read_items
from storage.lake.lake import Lake, open_lake
from storage.ledger.ledger import Ledger, open_ledger
from storage.objects.open import open_store
from storage.objects.store import ObjectStore

PLAIN_ARTICLES = Dataset(name="articles")


@dataclass(frozen=True, slots=True)
class Resources:
    """The store, the ledger and the lake of a home."""

    store: ObjectStore
    ledger: Ledger
    lake: Lake


@contextmanager
def open_resources(settings: Settings) -> Iterator[Resources]:
    """Open them; they are closed at the end of the `with` block. Raises UnavailableError, StorageError."""
    bound_heap()
    with ExitStack() as stack:
        stack.callback(trim_heap)  # memory of one stage must not add to that of the next
        ledger = open_ledger(settings)
        stack.callback(ledger.close)
        yield Resources(open_store(settings), ledger, stack.enter_context(open_lake(settings)))


def current_configuration(crawl_name: str, settings: Settings, pinned: Crawl) -> Crawl:
    """A crawl as its file says now, or as it was pinned when the file is gone. Raises ConfigError."""
    path = settings.crawls / f"{crawl_name}.yaml"
    try:
        crawl = read_crawl(path)
    except NotFoundError:
        return pinned
    check_rules(crawl, path)
    return crawl


def current_datasets(crawl: Crawl, crawl_runs: Sequence[str], settings: Settings, resources: Resources) -> tuple[Dataset, ...]:
    """The definitions of a crawl's datasets, with their tables made or changed. None for a crawl of plain articles alone."""
    types = [one for crawl_run in crawl_runs for one in read_item_types(crawl.name, crawl_run, resources.store).types]
    definitions = crawl_datasets(crawl, settings, resources.lake.tables())

    def has_items(dataset: Dataset) -> bool:
        return any(_has_items(dataset, crawl_run, resources) for crawl_run in crawl_runs)

    found = (with_item_fields(dataset, types, _earlier_fields(dataset, crawl, resources), settings, has_items) for dataset in definitions)
    datasets = tuple(dataset for dataset in found if dataset is not None)
    resources.lake.ensure_dataset_tables(datasets)
    return () if [dataset.is_plain for dataset in datasets] == [True] else datasets


def _has_items(dataset: Dataset, crawl_run: str, resources: Resources) -> bool:
    segments = resources.ledger.manifest(crawl_run).segments
    name = resources.ledger.crawl_run(crawl_run).crawl.name
    return any(dataset.takes_item(item.type) for item in read_items(name, crawl_run, segments, resources.store))


def _earlier_fields(dataset: Dataset, crawl: Crawl, resources: Resources) -> dict[str, str]:
    """The fields of a dataset of items as its table has them, and as the crawl's last published run had them."""
    if dataset.source is None or dataset.source.reads_pages:
        return {}
    table = resources.lake.tables().get(dataset.name)
    stored = {} if table is None else stored_types(schema_to_pyarrow(table.schema(), include_field_ids=False))
    last = resources.ledger.last_published(crawl.name, replacing=False)
    pinned = resources.ledger.process_run(last).datasets if last is not None else ()
    fields = {name: field.type for one in pinned if one.name == dataset.name for name, field in one.fields.items()}
    return {name: str(kind) for name, kind in stored.items()} | fields
