"""`crawlhouse index`: the index by which processing finds what the lake knows already."""

from __future__ import annotations

import typer

from crawlhouse.output.console import say
from schemas.numbers import plural

CHECK_EXAMPLES = """
Examples:

  crawlhouse index check
"""
REBUILD_EXAMPLES = """
Examples:

  crawlhouse index rebuild
"""

app = typer.Typer(name="index", help="Check the index of what the lake knows, or make it anew.", no_args_is_help=True)


@app.command(epilog=CHECK_EXAMPLES)
def check() -> None:
    """Compare some rows of the index with the tables, at random. What differs is printed, and the exit code is 5.

    The DAG maintain_lake does the same each day, and makes anew what differs.
    """
    from crawlhouse.existing_home import load_existing_home
    from processing.known.upkeep import check_index
    from schemas.errors import StorageError

    problems = check_index(load_existing_home())
    if problems:
        raise StorageError("\n".join([*problems, "Run `crawlhouse index rebuild`."]))
    say("The index has what the tables have.")


@app.command(epilog=REBUILD_EXAMPLES)
def rebuild() -> None:
    """Make the index anew from the tables. Processing may go on meanwhile; it uses the old one until the new one is complete.

    It takes 0.2 ms of CPU time for each article (measured with 100,000).
    """
    from crawlhouse.existing_home import load_existing_home
    from processing.known.upkeep import rebuild_index

    rows = rebuild_index(load_existing_home())
    say(f"The index was made anew from {plural(rows, 'row')}.")
