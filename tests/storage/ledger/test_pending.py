"""What waits of a crawl: a local file is asked by Python's own module, and says the same as the ledger."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from schemas.config.settings import Settings
from schemas.errors import ConflictError
from storage.database.migrations import SCHEMA_VERSION
from storage.ledger import pending
from storage.ledger.ledger import open_ledger
from storage.ledger.pending import Pending, read_pending

CRAWL_RUN = (
    "INSERT INTO crawl_runs (crawl_run, crawl, key, state, planned_at, code_version, config_hash, config, bytes, pages) "
    "VALUES (?, ?, ?, ?, ?, 'c', 'h', '{}', 0, 0)"
)
PROCESS_RUN = (
    "INSERT INTO process_runs (process_run, crawl, code_version, config_hash, config, memory_version, published_at) "
    "VALUES (?, ?, 'c', 'h', '{}', 0, ?)"
)
HELD_ROWS = (
    "INSERT INTO held (crawl_run, dataset, crawl, process_run, reason, held_at, decision) VALUES (?, ?, 'news', 'p1', 'why', 1.0, ?)"
)
STEPS = [
    ("nothing is known", [], Pending(False, None, None)),
    ("a run fetches", [(CRAWL_RUN, ("r1", "news", "1", "open", 1.0))], Pending(False, None, "r1")),
    ("it is closed", [("UPDATE crawl_runs SET state = 'closed' WHERE crawl_run = ?", ("r1",))], Pending(True, None, None)),
    ("another crawl", [(CRAWL_RUN, ("o1", "other", "1", "closed", 2.0))], Pending(True, None, None)),
    (
        "a process run is planned",
        [(PROCESS_RUN, ("p1", "news", None)), ("INSERT INTO process_inputs (process_run, crawl_run) VALUES (?, ?)", ("p1", "r1"))],
        Pending(True, None, None),
    ),
    ("it is published", [("UPDATE process_runs SET published_at = 5 WHERE process_run = ?", ("p1",))], Pending(False, "p1", None)),
    ("a later one", [(PROCESS_RUN, ("p2", "news", 9.0))], Pending(False, "p2", None)),
    (
        "two more fetch",
        [(CRAWL_RUN, ("r2", "news", "2", "open", 3.0)), (CRAWL_RUN, ("r3", "news", "3", "planned", 4.0))],
        Pending(False, "p2", "r2"),
    ),
    (
        "rows of one are held, of another they were",
        [(HELD_ROWS, ("r1", "prices", None)), (HELD_ROWS, ("r1", "articles", None)), (HELD_ROWS, ("r2", "prices", "accepted"))],
        Pending(False, "p2", "r2", ("r1",)),
    ),
]


def test_a_local_file_and_the_ledger_say_the_same(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path)
    ledger = open_ledger(settings)
    with closing(sqlite3.connect(settings.database_file("frontier"))) as connection:
        for what, statements, expected in STEPS:
            for statement, values in statements:
                connection.execute(statement, values)
            connection.commit()

            assert pending._of_local_file("news", settings) == expected, what
            assert pending._of_ledger("news", settings) == expected, what
            assert read_pending("news", settings) == expected, what
    ledger.close()


def test_a_home_without_a_database_has_nothing_pending(tmp_path: Path) -> None:
    assert read_pending("news", Settings(home=tmp_path)) == Pending(False, None, None)


def test_tables_of_another_version_are_refused_as_by_the_ledger(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path)
    open_ledger(settings).close()
    with closing(sqlite3.connect(settings.database_file("frontier"))) as connection, connection:
        connection.execute("UPDATE schema_version SET version = ?", (SCHEMA_VERSION - 1,))

    with pytest.raises(ConflictError, match="crawlhouse upgrade"):
        read_pending("news", settings)


def test_asking_a_local_file_imports_no_sqlalchemy(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path)
    open_ledger(settings).close()
    code = (
        "import sys; from pathlib import Path; from schemas.config.settings import Settings;"
        "import crawlhouse.actions.lake.process as action;"
        f"print(action.read_pending('news', Settings(home=Path({str(tmp_path)!r}))));"
        "print([name for name in ('sqlalchemy', 'pyarrow', 'pandas') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.splitlines() == [repr(Pending(False, None, None)), "[]"]
