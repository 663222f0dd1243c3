"""`crawlhouse init`: a folder for crawls, and a first crawl in it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from crawlhouse.output.console import say
from schemas.errors import ConfigError, ConflictError, StorageError

EXAMPLES = """
Examples:

  crawlhouse init

  crawlhouse init --seed https://example.com/sitemap.xml --name example --contact me@example.com
"""

FIRST_CRAWL = """\
# What to crawl. Try it with `crawlhouse check crawls/{name}.yaml`: that stores nothing.
description: {host}

seeds:                      # where the crawl starts: pages, feeds or sitemaps
  - {seed}

politeness:
  contact: {contact}        # a mail address or a page where the site's owner reaches you; part of the user agent
  delay: 2                  # seconds between two requests to one host; robots.txt may ask for more

budgets:
  max_pages: 200            # of one run; raise it when the results are right

# schedule: "0 */6 * * *"   # when Airflow runs it; without a schedule it runs only by hand
"""


def init(
    folder: Annotated[Path, typer.Argument(help="The project's folder; made if it is missing.")] = Path(),
    seed: Annotated[str | None, typer.Option(help="A page, feed or sitemap to crawl: writes a first crawl for it.")] = None,
    name: Annotated[str, typer.Option(help="The first crawl's name.")] = "first",
    contact: Annotated[str, typer.Option(help="How the site's owner reaches you.")] = "",
) -> None:
    """Make a project: a folder with crawls/ in it, and with --seed a first crawl.

    Nothing is fetched, and no existing file is changed.
    """
    crawls = folder / "crawls"
    try:
        crawls.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StorageError(f"{crawls} cannot be made: {error.strerror}. Choose another folder.") from error
    if seed is None:
        say(f"{crawls} is ready. Put a crawl into it, or let `crawlhouse init --seed URL` write a first one.")
        return
    path = crawls / f"{name}.yaml"
    _write(path, name, seed, contact)
    say(
        f"{path} is written. Next:\n  crawlhouse check {path}    what it may fetch, and the rows of a few pages; nothing is stored\n"
        f"  crawlhouse crawl {name}\n  crawlhouse process {name}"
    )


def _write(path: Path, name: str, seed: str, contact: str) -> None:
    from json import dumps

    from schemas.config.crawl_file import parse_crawl
    from storage.urls.host_key import host_name

    if not contact:
        raise ConfigError("A crawl must say who sends it: give --contact with a mail address or a page of yours.")
    text = FIRST_CRAWL.format(name=name, host=host_name(seed), seed=dumps(seed), contact=dumps(contact))
    parse_crawl(text, name, str(path))
    try:
        with path.open("x", encoding="utf-8") as out:
            out.write(text)
    except FileExistsError as error:
        raise ConflictError(f"{path} is there already. Choose another --name, or edit it.") from error
