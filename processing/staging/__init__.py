"""The rows that one stage of a process run leaves for the next: Parquet in the store, under keys of the process run.

`staging` has the schemas of the stages (`EXTRACTED`, `CLEANED`, `DECIDED`), `staged_writer` and `read_rows`.
"""

from schemas.moved import former_module

__getattr__ = former_module(__name__, "processing.staging.staging")
