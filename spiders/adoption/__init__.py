"""Adopt WARC files that no worker of this database fetched: they become a closed run of a crawl, which is processed like any.

`adopt.adopt_files` takes files of any tool, `adopt.adopt_stored` the segments in the store that the database does not know, as after an
older backup was restored. `segments` copies records into segments, one gzip member each, and `learning` says what the frontier learns.
"""
