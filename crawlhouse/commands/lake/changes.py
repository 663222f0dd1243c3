"""`crawlhouse changes`: what was added, changed and gone, for those who follow the lake."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

EXAMPLES = """
Examples:

  crawlhouse changes --since 0 --table products > everything.jsonl

  crawlhouse changes --since 41

  crawlhouse query "SELECT max(sequence) FROM runs"
"""


def changes(
    since: Annotated[int, typer.Option(min=0, metavar="SEQUENCE", help="The last publish that you have; 0 for everything.")],
    table: Annotated[str | None, typer.Option("--table", "-t", metavar="NAME", help="Only this dataset.")] = None,
) -> None:
    """Print what changed in the datasets after a publish, as JSON lines.

    Each line has the table, the change, the row_id and the sequence, the number of the publish. `added` and `changed` have the whole row,
    `gone` says since when its pages have it no more, `back` that they have it again. Follow the lake with the largest sequence that you
    read as the next --since.
    """
    from crawlhouse.house import House
    from crawlhouse.output.row_formats import json_value
    from schemas.config.settings import load_settings
    from schemas.printable import printable_json

    for change in House(load_settings()).changes(since, table):
        sys.stdout.write(printable_json({name: json_value(value) for name, value in change.items()}) + "\n")
