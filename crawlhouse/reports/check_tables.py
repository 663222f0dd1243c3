"""Whether definitions of datasets fit the tables that the lake has. Nothing is made or changed."""

from __future__ import annotations

from collections.abc import Iterable

from schemas.config.crawl import Crawl
from schemas.config.settings import Settings
from schemas.datasets.dataset import Dataset

ARTICLES = "articles"


def has_definitions(crawl: Crawl, settings: Settings) -> bool:
    """Whether a crawl has more to check than plain articles."""
    own_articles = settings.datasets_folder() / f"{ARTICLES}.yaml"
    return crawl.datasets != (ARTICLES,) or bool(crawl.expectations or crawl.drift) or own_articles.is_file()


def check_tables(datasets: Iterable[Dataset], settings: Settings) -> None:
    """Raises ConfigError for a definition that does not fit its table, with the way out; UnavailableError, StorageError.

    A lake that does not exist yet has no tables.
    """
    if not settings.database and not settings.database_file("catalog").exists():
        return
    from processing.datasets.definitions import with_item_fields  # slow to import, as is the lake
    from storage.lake.lake import open_lake

    with open_lake(settings) as lake:
        for dataset in datasets:
            stored = lake.dataset_fields(dataset.name)
            whole = None if stored is None else with_item_fields(dataset, (), stored, settings)
            if whole is not None:
                lake.refuse_misfit(whole)
