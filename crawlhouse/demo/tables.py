"""The queries that end the demo, each with the command that shows the same."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rich.console import Console
from rich.table import Table

from crawlhouse.house import House
from crawlhouse.rows import Row
from schemas.config.settings import Settings

QUERIES = {
    "The articles of each site": (
        "SELECT host, language, count(*) AS articles, sum(word_count) AS words, max(published_at)::DATE AS newest "
        "FROM articles_latest GROUP BY ALL ORDER BY ALL"
    ),
    "The shop's products: the last price, when it was last seen, and since when the product is gone": (
        "SELECT name, price::DECIMAL(9,2) AS price, currency, last_seen, gone_at FROM products_latest ORDER BY gone_at DESC, name LIMIT 8"
    ),
    "What the prices were, by products": (
        "SELECT name, version, price::DECIMAL(9,2) AS price, changed, fetched_at FROM products "
        "WHERE product_id IN (SELECT product_id FROM products WHERE list_contains(changed, 'price')) ORDER BY name, version LIMIT 8"
    ),
    "The rows that were held back, and why": "SELECT DISTINCT dataset, rule, detail, url FROM quarantine ORDER BY ALL LIMIT 8",
}
SHOWN_SECONDS = 19  # characters of a time up to its seconds


def show_tables(console: Console, settings: Settings) -> None:
    """Run the queries as `crawlhouse query` does, and print each with its command."""
    with House(settings) as house:
        for title, sql in QUERIES.items():
            console.print(f'\n{title}:\ncrawlhouse query "{sql}"')
            rows = house.query(sql)
            console.print(_table(rows.schema.names, list(rows)))


def _table(names: Sequence[str], rows: Sequence[Row]) -> Table:
    table = Table()
    for name in names:
        numeric = bool(rows) and isinstance(rows[0][name], int | float)
        table.add_column(name, justify="right" if numeric else "left")
    for row in rows:
        table.add_row(*(_text(row[name]) for name in names))
    return table


def _text(value: Any) -> str:  # Any: a value of a table
    if value is None:
        return ""
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return value.isoformat(" ")[:SHOWN_SECONDS] if hasattr(value, "hour") else str(value)
