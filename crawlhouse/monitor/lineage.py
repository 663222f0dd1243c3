"""Tells OpenLineage which datasets a task read and made, where Airflow's OpenLineage provider is installed and configured.

Datasets are named by their place, as other tools name them: captures by the folder of the crawl's WARC segments, a table by its folder in
the lake, a site by its origin. Without the provider nothing is imported and nothing is done.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib.util import find_spec
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from schemas.config.settings import Settings
from schemas.keys import warc_prefix
from schemas.manifest import Manifest
from storage.lake.reader.pointers import read_pointers

if TYPE_CHECKING:
    from openlineage.client.event_v2 import Dataset, OutputDataset

PROVIDER = "airflow.providers.openlineage"


def is_active() -> bool:
    """Whether Airflow sends lineage anywhere."""
    if find_spec(PROVIDER) is None:
        return False
    from airflow.providers.openlineage.api import is_openlineage_active

    return bool(is_openlineage_active())


def tell_fetched(manifest: Manifest, settings: Settings) -> None:
    """Tell what a closed crawl run fetched, as what the running task read and made."""
    _emit(*fetched_datasets(manifest, settings))


def tell_published(crawl: str, tables: Mapping[str, Mapping[str, object]], settings: Settings) -> None:
    """Tell which tables of the lake got rows of a crawl's captures. `tables` has, by name, `published` and `snapshot`."""
    _emit(*published_datasets(crawl, tables, settings))


def fetched_datasets(manifest: Manifest, settings: Settings) -> tuple[list[Dataset], list[OutputDataset]]:
    """The sites that a crawl run read, and the captures that it made, with their records and bytes."""
    from openlineage.client.event_v2 import Dataset, OutputDataset
    from openlineage.client.facet_v2 import output_statistics_output_dataset as statistics

    segments = manifest.segments
    made = statistics.OutputStatisticsOutputDatasetFacet(
        rowCount=sum(one.records for one in segments), size=sum(one.size for one in segments), fileCount=len(segments)
    )
    sites = [Dataset(f"web://{host}", "/") for host in sorted(manifest.statistics.hosts)]
    return sites, [OutputDataset(*captures_name(manifest.crawl, settings), outputFacets={"outputStatistics": made})]


def published_datasets(
    crawl: str, tables: Mapping[str, Mapping[str, object]], settings: Settings
) -> tuple[list[Dataset], list[OutputDataset]]:
    """A crawl's captures, and the tables that got rows of them, with their number and the Iceberg snapshot."""
    from openlineage.client.event_v2 import Dataset, OutputDataset
    from openlineage.client.facet_v2 import dataset_version_dataset, output_statistics_output_dataset, symlinks_dataset

    pointers, outputs = read_pointers(settings), []
    for name, event in tables.items():
        if name not in pointers:
            continue
        version = dataset_version_dataset.DatasetVersionDatasetFacet(datasetVersion=str(event["snapshot"]))
        in_catalog = symlinks_dataset.SymlinksDatasetFacet([symlinks_dataset.Identifier("crawlhouse", f"crawlhouse.{name}", "TABLE")])
        count = event["published"]
        made = output_statistics_output_dataset.OutputStatisticsOutputDatasetFacet(rowCount=count if isinstance(count, int) else None)
        facets = {"version": version, "symlinks": in_catalog}
        outputs.append(OutputDataset(*table_name(pointers[name]), facets=facets, outputFacets={"outputStatistics": made}))
    return [Dataset(*captures_name(crawl, settings))], outputs


def _emit(inputs: list[Dataset], outputs: list[OutputDataset]) -> None:
    from airflow.providers.openlineage.api import emit_dataset_lineage

    emit_dataset_lineage(inputs=list(inputs), outputs=list(outputs))


def captures_name(crawl: str, settings: Settings) -> tuple[str, str]:
    """The namespace and the name of a crawl's captures."""
    return _place(f"{settings.store_url()}/{warc_prefix(crawl)}")


def table_name(metadata_location: str) -> tuple[str, str]:
    """The namespace and the name of a table whose current metadata is there: those of its folder."""
    return _place(metadata_location.rpartition("/metadata/")[0])


def _place(location: str) -> tuple[str, str]:
    """A place by OpenLineage's rules: `s3://bucket` and a key, or `file` and a path."""
    parts = urlsplit(location)
    path = parts.path.rstrip("/")
    return (f"{parts.scheme}://{parts.netloc}", path.lstrip("/")) if parts.netloc else ("file", path)
