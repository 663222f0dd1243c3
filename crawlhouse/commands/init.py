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
{pace}
budgets:
  max_pages: 200            # of one run; raise it when the results are right

# schedule: "0 */6 * * *"   # when Airflow runs it; without a schedule it runs only by hand
"""


POLITE = """\
  delay: 2                  # seconds between two requests to one host; robots.txt may ask for more
"""
PRIVATE = """
network:
  allow: ["{network}"]    # this address is not public, and would be refused
"""
OF_THIS_MACHINE = """\
  delay: 0                  # seconds between two requests; this machine is your own
"""


def init(
    folder: Annotated[Path, typer.Argument(help="The project's folder; made if it is missing.")] = Path(),
    seed: Annotated[str | None, typer.Option(help="A page, feed or sitemap to crawl: writes a first crawl for it.")] = None,
    name: Annotated[str, typer.Option(help="The first crawl's name.")] = "first",
    contact: Annotated[str, typer.Option(help="How the site's owner reaches you.")] = "",
) -> None:
    """Make a project: a folder with crawls/, datasets/ and dags/ in it, and with --seed a first crawl.

    Datasets of your own go into datasets/, a file each. DAGs of your own go into dags/: `crawlhouse up` loads them beside
    those of the crawls.

    Nothing is fetched, and no existing file is changed.
    """
    crawls = folder / "crawls"
    try:
        for made in (crawls, folder / "datasets", folder / "dags"):
            made.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StorageError(f"{crawls} cannot be made: {error.strerror}. Choose another folder.") from error
    if seed is None:
        say(f"{folder} has the folders crawls, datasets and dags. Put a crawl into crawls, or let `crawlhouse init --seed URL` write one.")
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
    host = host_name(seed)
    text = FIRST_CRAWL.format(name=name, host=dumps(host), seed=dumps(seed), contact=dumps(contact), pace=_pace(host))
    parse_crawl(text, name, str(path))
    try:
        with path.open("x", encoding="utf-8") as out:
            out.write(text)
    except FileExistsError as error:
        raise ConflictError(f"{path} is there already. Choose another --name, or edit it.") from error


def _pace(host: str) -> str:
    """The delay, and for an address that is not public the network that must be allowed."""
    from ipaddress import ip_address, ip_network

    try:
        address = ip_address(host.strip("[]"))
    except ValueError:
        return POLITE
    if address.is_global:
        return POLITE
    return (OF_THIS_MACHINE if address.is_loopback else POLITE) + PRIVATE.format(network=ip_network(address))
