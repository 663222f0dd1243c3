"""Writes rows as Parquet data files of a table, one for each partition, sorted. Nobody sees them before a commit."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from itertools import count

import pyarrow as pa
import pyarrow.parquet as pq
from pyiceberg.io.pyarrow import (
    ParquetFormatModel,
    _determine_partitions,
    _to_requested_schema,
    compute_statistics_plan,
    data_file_statistics_from_parquet_metadata,
    parquet_path_to_id_mapping,
    pyarrow_to_schema,
)
from pyiceberg.manifest import DataFile, DataFileContent, FileFormat
from pyiceberg.partitioning import PartitionKey
from pyiceberg.table import Table
from pyiceberg.table.locations import load_location_provider
from pyiceberg.typedef import Record

from storage.lake.parquet.block_texts import without_block_texts
from storage.lake.parquet.layout import COMPRESSION_LEVEL, ROW_GROUP_ROWS, metrics_properties, writer_options
from storage.lake.tables import sort_columns


def write_files(table: Table, rows: pa.Table, level: int = COMPRESSION_LEVEL) -> Iterator[DataFile]:
    """Write rows as data files of the table, one for each partition, sorted by the table's sort order and compressed at a level of zstd.

    A column that the rows lack is NULL. Raises OSError; ValueError if a value is NULL that may not be.
    """
    if not rows.num_rows:
        return
    rows = sort_rows(without_block_texts(rows))
    name, number = uuid.uuid4(), count()
    if table.metadata.spec().is_unpartitioned():
        parts: Iterator[tuple[PartitionKey | None, pa.Table]] = iter([(None, rows)])
    else:
        found = _determine_partitions(spec=table.metadata.spec(), schema=table.schema(), arrow_table=rows)
        parts = ((part.partition_key, part.arrow_table_partition) for part in found)
    for key, part in parts:
        yield _write(table, part, key, f"00000-{next(number)}-{name}.parquet", level)


def sort_rows(rows: pa.Table) -> pa.Table:
    """Rows in the order of the table's sort columns, if it has them: the order within each file."""
    keys = [(column, "ascending") for column in sort_columns(rows.schema.names)]
    return rows.sort_by(keys) if keys else rows


def _write(table: Table, rows: pa.Table, key: PartitionKey | None, name: str, level: int) -> DataFile:
    fitted = _with_field_ids(table, rows)
    place = load_location_provider(table.location(), table.properties).new_data_location(name, key)
    output = table.io.new_output(place)
    with output.create(overwrite=True) as stream:
        with pq.ParquetWriter(stream, fitted.schema, **writer_options(fitted.schema, fitted.num_rows, level)) as writer:
            writer.write_table(fitted, row_group_size=ROW_GROUP_ROWS)
        metadata = writer.writer.metadata
    properties = {**table.properties, **metrics_properties(table.schema().column_names)}
    statistics = data_file_statistics_from_parquet_metadata(
        metadata, compute_statistics_plan(table.schema(), properties), parquet_path_to_id_mapping(table.schema())
    )
    return DataFile.from_args(
        content=DataFileContent.DATA, file_format=FileFormat.PARQUET, file_path=place, file_size_in_bytes=len(output),
        partition=key.partition if key else Record(), spec_id=table.metadata.default_spec_id, sort_order_id=None, equality_ids=None,
        key_metadata=None, **statistics.to_serialized_dict(),
    )  # fmt: skip


def _with_field_ids(table: Table, rows: pa.Table) -> pa.Table:
    """The rows in the table's schema, with the ids of Iceberg's fields."""
    given = pyarrow_to_schema(rows.schema, name_mapping=table.schema().name_mapping, format_version=table.metadata.format_version)
    model = ParquetFormatModel()
    batches = [
        _to_requested_schema(requested_schema=table.schema(), file_schema=given, batch=batch, include_field_ids=True, format_model=model)
        for batch in rows.to_batches()
    ]
    return pa.Table.from_batches(batches)
