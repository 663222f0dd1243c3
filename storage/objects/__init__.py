"""The object store: immutable objects by key, in a directory or in S3. Everything that outlives a run and is not in SQL is kept in it.

In and out: bytes, files and streams, under keys of `schemas.keys`. Others call `open.open_store(settings)`, which gives a
`store.ObjectStore`. An object is there as a whole or not at all.
"""
