"""Erase URLs: their rows in all versions and snapshots, their bytes in the archive, and what else the home and the store know of them.

In: entries as the takedown list has them. Out: a `receipt.Receipt`. Others call `erasing.erase` and `erasing.preview`. What is erased is
found first and written down (`plan`), so that an interrupted erasure can be completed. Then, each in its module: the archive, what is
staged, the lake's tables, their snapshots and files, what is derived from them, the database, and files of the home.
"""
