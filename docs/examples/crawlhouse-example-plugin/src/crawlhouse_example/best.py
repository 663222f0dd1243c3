"""A command: `crawlhouse best` prints what readers like best."""

from __future__ import annotations

from typing import Annotated

import typer

SQL = "SELECT thing, avg(stars) AS stars FROM reviews_latest GROUP BY thing ORDER BY stars DESC, thing LIMIT $count"


def best(count: Annotated[int, typer.Option(min=1, help="How many things.")] = 10) -> None:
    """Print the things with the most stars."""
    import crawlhouse  # when the command runs, not when it is listed: `crawlhouse --help` imports this module too

    for row in crawlhouse.open().query(SQL, {"count": count}):
        typer.echo(f"{row['stars']:.1f}  {row['thing']}")
