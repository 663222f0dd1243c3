"""The lake: Iceberg tables of published rows, and what reads and keeps them.

`lake.open_lake(settings)` gives the `Lake`, which stages and scans; `publishing.commit` commits several tables at once; `query.connect`
gives a DuckDB connection with a view per table; `maintenance.maintain` joins small files and removes old ones; `takedown` is the list of
what may not be fetched or shown.
"""

from schemas.moved import former_module

__getattr__ = former_module(__name__, "storage.lake.lake")
