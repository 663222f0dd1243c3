"""The lake: Iceberg tables of published rows, which everybody may read.

In: chunks of rows (Arrow). Out: Iceberg tables, batches of rows, a DuckDB connection for SQL. Others call `lake.open_lake(settings)` (the
`Lake` stages and scans rows), `commit.commit` (commits several tables at once; `staged_metadata.move_pointers` is its one transaction)
and `query.connect` (DuckDB with a view for each table, and `NAME_latest`, whose SQL is in `latest`). `maintenance.maintain` joins small
files; old snapshots expire in `upkeep.retention`. `parquet` lays rows out in data files. `takedown` is the list of URLs that must not be
fetched or shown.
"""

from schemas.moved import former_module

__getattr__ = former_module(__name__, "storage.lake.lake")
