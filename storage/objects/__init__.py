"""Objects by key: where everything that outlives a run is kept, in a directory or in S3.

`open_store(settings)` gives an `ObjectStore`. Keys come from `schemas.keys`; an object is there whole or not at all.
"""
