"""The known index: sorted 64-bit keys that lead to narrow copies of the lake's rows. It is a cache, made from the tables.

In: rows of data files with their keys (`processing.known` makes both). Out: the rows with given keys, of the files that are live.

Runs are never changed. A run is two objects: `ID.bin` has the rows and the keys, `ID.json` is its completion mark and names the data files
whose rows it has. `run_file` writes and reads one run, `runs` lists, replaces and deletes them, `known_rows` looks keys up in all of them.
A key that is in the index although its rows are gone does no harm: each row names its data file, and rows of files that are not live are
left out.

The numbers in a run are little-endian arrays instead of Parquet: hashes do not compress, and a look-up reads a few blocks of 2 kB
(9,000 keys in 18 million took 360 ms of CPU from Parquet).
"""
