"""`crawlhouse adopt`: WARC files that the database does not know become a closed run of a crawl."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from schemas.errors import ConfigError

EXAMPLES = """
Examples:

  crawlhouse adopt news

  crawlhouse adopt --crawl news CC-NEWS-20260101.warc.gz old/*.warc.gz

  crawlhouse adopt --crawl news browsertrix.wacz
"""


def adopt(
    names: Annotated[list[str], typer.Argument(metavar="WARC... | NAME", help="WARC or WACZ files of any tool; or only a crawl's name.")],
    crawl: Annotated[str | None, typer.Option("--crawl", "-c", metavar="NAME", help="The crawl that the files are for.")] = None,
) -> None:
    """Make WARC files into a closed run of a crawl, which the next `crawlhouse process` processes like any other.

    With --crawl: files of any tool, compressed or not. Their records are copied into the store, byte for byte. With only the name of a
    crawl: segments that are in the store, but that the database does not know, as after an older backup was restored.

    The frontier learns when each URL was fetched, and from that when it is due again. What cannot be read is counted, and the exit code is
    then 5. Doing it again, also after an interruption, adopts nothing twice.
    """
    from crawlhouse.actions.adopt import run_adopt_files, run_adopt_stored
    from schemas.config.settings import load_settings

    if crawl is not None:
        run_adopt_files(crawl, [Path(name) for name in names], load_settings())
    elif len(names) == 1 and not Path(names[0]).is_file():
        run_adopt_stored(names[0], load_settings())
    else:
        raise ConfigError("Say for which crawl the files are: crawlhouse adopt --crawl NAME WARC... Without files: crawlhouse adopt NAME.")
