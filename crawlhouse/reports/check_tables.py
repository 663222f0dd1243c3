"""Whether definitions of datasets fit the tables that the lake has. Nothing is made or changed."""

from __future__ import annotations

from collections.abc import Iterable

from processing.datasets.definitions import with_item_fields
from schemas.config.settings import Settings
from schemas.datasets.dataset import Dataset
from storage.lake.lake import open_lake


def check_tables(datasets: Iterable[Dataset], settings: Settings) -> None:
    """Raises ConfigError for a definition that does not fit its table, with the way out; UnavailableError, StorageError.

    A lake that does not exist yet has no tables.
    """
    if not settings.database and not settings.database_file("catalog").exists():
        return
    with open_lake(settings) as lake:
        for dataset in datasets:
            stored = lake.dataset_fields(dataset.name)
            whole = None if stored is None else with_item_fields(dataset, (), stored, settings)
            if whole is not None:
                lake.refuse_misfit(whole)
