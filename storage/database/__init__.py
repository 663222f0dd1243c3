"""The SQL database under frontier and ledger: SQLite on one machine, PostgreSQL on many.

`engine.open_database(url)` gives a `Database` with short transactions, `read()` and `write()`. `migration` brings the tables of an earlier
release forward, `locks` holds what only a live process holds, `clock` is the time that all machines share.
"""

from schemas.moved import former_module

__getattr__ = former_module(__name__, "storage.database.engine")
