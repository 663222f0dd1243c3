"""Reads the state of the lake's tables from the catalog, without pyiceberg: importing that takes longer than most queries.

In: the settings. Out: `tables.read_tables` returns for each table its columns, in DuckDB's types, and its data files, all of one moment, or
as they were before. `published_runs` says which runs are published, `url_files` which files have something of one URL.
`lake_file.refresh_lake_file` writes `lake.duckdb`, a DuckDB database with the views of `storage.lake.query`. Nothing here writes to the
tables.
"""
