"""The lake's data files as Parquet: how rows are laid out in them, and how they are written before the commit that adds them.

In: a table and rows. Out: descriptions of data files for a commit. `files.write_files` writes them; `block_texts` leaves out the words that
a row has twice, and gives them back; `layout` says which columns get statistics, dictionaries and Bloom filters.
"""
