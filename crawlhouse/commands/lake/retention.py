"""`crawlhouse retention`: the rows and segments that crawls keep no longer."""

from __future__ import annotations

from typing import Annotated

import typer

from crawlhouse.output.console import say, show, table

EXAMPLES = """
Examples:

  crawlhouse retention

  crawlhouse retention news --remove
"""


def retention(
    crawl: Annotated[str | None, typer.Argument(metavar="[CRAWL]", help="Only of this crawl.")] = None,
    *,
    remove: Annotated[bool, typer.Option("--remove", help="Remove them now. The DAG maintain_lake does it each day.")] = False,
) -> None:
    """Count the rows, and the segments of the archive, that crawls keep no longer, by the `retention` in their files.

    The last version of a row stays as long as its key is seen. Earlier states of the lake have the rows for some days more. A segment is
    gone for good: its rows stay, but cannot be made again.
    """
    from crawlhouse.actions.lake.retention import expired_rows
    from schemas.config.settings import load_settings

    found = expired_rows(load_settings(), crawl, remove=remove)
    if not found:
        say("No crawl has a `retention`." if crawl is None else f"The crawl '{crawl}' has no `retention`.")
        return
    columns = ["crawl", "table", "older than", "removed" if remove else "to remove"]
    rows = [[one.crawl, one.table, f"{one.before:%Y-%m-%d %H:%M}", f"{count:,}"] for one, count in found]
    show(table("", columns, rows, numbers=columns[-1:]))
