"""`crawlhouse stop`: end a run cleanly."""

from __future__ import annotations

from typing import Annotated

import typer

EXAMPLES = """
Examples:

  crawlhouse stop my_news

  crawlhouse stop my_news-20260101T120000Z-0a1b2c

  crawlhouse stop my_news --no-wait
"""


def stop(
    reference: Annotated[str, typer.Argument(metavar="RUN|CRAWL", help="A crawl run, or a crawl, which means its open runs.")],
    wait: Annotated[bool, typer.Option("--wait/--no-wait", help="Wait until the run is closed.")] = True,
    seconds: Annotated[int, typer.Option(min=1, help="How long to wait at most.")] = 90,
) -> None:
    """End a run cleanly: its workers register what they have and leave, the run closes, and the rest is left over for the next run.

    Workers notice within seconds, on every machine. If all workers of a run crashed, this command closes it after their leases expired.
    """
    from crawlhouse.actions.stop import stop_runs
    from crawlhouse.existing_home import load_existing_home

    stop_runs(load_existing_home(), reference, wait=wait, seconds=seconds)
