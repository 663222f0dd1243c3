"""`crawlhouse rename` and `crawlhouse delete`: the state that a crawl has under its name."""

from __future__ import annotations

from typing import Annotated

import typer

RENAME_EXAMPLES = """
Examples:

  crawlhouse rename my_news our_news
"""
DELETE_EXAMPLES = """
Examples:

  crawlhouse delete my_news

  crawlhouse delete my_news --yes
"""
OldName = Annotated[str, typer.Argument(metavar="OLD")]
NewName = Annotated[str, typer.Argument(metavar="NEW")]
Name = Annotated[str, typer.Argument(metavar="NAME", help="A crawl's name.")]


def rename(old: OldName, new: NewName) -> None:
    """Rename a crawl: its file, golden pages, frontier and site memory. It must have no open run, and every closed run must be processed.

    What was captured and published so far keeps the old name, because the name is part of keys and rows. After an interruption the same
    command completes it.
    """
    from crawlhouse.actions.names import rename_crawl
    from schemas.config.settings import load_settings

    rename_crawl(load_settings(), old, new)


def delete(
    name: Name,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> None:
    """Delete a crawl's frontier: its URLs, when they are due, and their outcomes. The crawl must have no open run.

    The statistics of its workers are deleted too; the manifests of its runs have their sums. The captures, the published rows, the ledger
    of its runs and the crawl's file stay: this command never deletes these. If the file is still there, the next run begins from the seeds.
    """
    from crawlhouse.actions.names import delete_crawl
    from crawlhouse.existing_home import load_existing_home

    delete_crawl(load_existing_home(), name, confirmed=yes)
