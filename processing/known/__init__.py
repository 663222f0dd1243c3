"""What the lake knows already of a run's records, at a cost that depends on the run and not on the lake.

In: the lake's tables at one time (`known_lake.open_known`), URLs, records, texts and keys of rows. Out: the rows of the lake that have
them. `known_lake.KnownLake` is what others call. `row_keys` says which columns and which keys the index has of each table, `catch_up` adds
the data files that are new, `upkeep` merges, checks and rebuilds it. `storage.index.known` stores it.
"""
