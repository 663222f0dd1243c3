"""The SQL database of frontier and ledger: SQLite on one machine, PostgreSQL on several.

In: a URL. Out: a `Database` with two kinds of short transactions, `read()` and `write()`; `engine.open_database(url)` gives it. The tables
are in `frontier_tables` and `ledger_tables`. `migration` upgrades the tables of an earlier release, `locks` are locks that end with their
process, and `clock` is the time that all machines share.
"""

from schemas.moved import former_module

__getattr__ = former_module(__name__, "storage.database.engine")
