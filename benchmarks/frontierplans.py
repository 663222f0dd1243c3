"""Finds statements of the frontier that read a whole table. The database explains each statement that an operation executes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sqlalchemy import Engine, event

from schemas.config.settings import Settings
from storage.database.engine import open_database

GROWING = ("urls", "hosts", "run_hosts", "fetches")


def whole_scans(settings: Settings, action: Callable[[], object]) -> list[str]:
    """Run an action. Returns, for each of its statements that reads a growing table completely, that line of the plan."""
    executed: dict[str, Any] = {}  # Any: parameters as the driver takes them

    def note(_c: object, _u: object, statement: str, parameters: Any, _x: object, many: bool) -> None:
        if statement.lstrip().startswith(("SELECT", "UPDATE", "WITH")):
            executed.setdefault(statement, parameters[0] if many else parameters)

    event.listen(Engine, "before_cursor_execute", note)
    try:
        action()
    finally:
        event.remove(Engine, "before_cursor_execute", note)
    return _whole_scan_lines(settings, executed)


def _whole_scan_lines(settings: Settings, executed: dict[str, Any]) -> list[str]:
    database = open_database(settings.database_url("frontier"))
    prefix = "EXPLAIN QUERY PLAN " if database.is_sqlite else "EXPLAIN "
    scans: list[str] = []
    with database.read() as connection:
        for statement, parameters in executed.items():
            plan = [str(row[-1]).strip() for row in connection.exec_driver_sql(prefix + statement, parameters)]
            scans += [line for line in plan if _is_whole(line)]
    database.close()
    return scans


def _is_whole(line: str) -> bool:
    words = line.split()
    if "Seq Scan on" in line:
        return words[words.index("on") + 1] in GROWING
    return words[:1] == ["SCAN"] and words[1] in GROWING and "USING" not in words
