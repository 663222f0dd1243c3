"""Crawls of single pages in the tests: what became of each URL, and what was archived."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select

from schemas.config.crawl_file import parse_crawl
from schemas.config.settings import Settings
from schemas.manifest import Manifest
from spiders.run import crawl_once
from storage.database.engine import open_database
from storage.database.frontier_tables import URLS
from storage.index.rows import CaptureRow, read_index
from storage.objects.open import open_store

LOOPBACK = "network: {allow: [127.0.0.1/32]}"


@dataclass
class Crawled:
    """A closed run: `outcomes` by URL, as `outcome` or `outcome:reason`; `rows` of the capture index."""

    manifest: Manifest
    outcomes: dict[str, str]
    rows: list[CaptureRow]

    def archived(self) -> set[str]:
        """The URLs in the archive."""
        return {row.url for row in self.rows}


def crawl_urls(settings: Settings, seeds: list[str], extra: str = "", politeness: str = "delay: 0", network: str = LOOPBACK) -> Crawled:
    """Crawls the seeds with further YAML."""
    text = f"seeds: {seeds}\npoliteness: {{{politeness}}}\n{network}\n{extra}\n"
    manifest = crawl_once(parse_crawl(text, "test"), settings)
    assert manifest.counts.balanced()
    store = open_store(settings)
    rows = [row for segment in manifest.segments for row in read_index(store.get_bytes(segment.index_key))]
    return Crawled(manifest, outcomes(settings), rows)


def outcomes(settings: Settings) -> dict[str, str]:
    """What last became of every URL of the frontier."""
    database = open_database(settings.database_url("frontier"))
    with database.read() as connection:
        found = connection.execute(select(URLS.c.url, URLS.c.last_outcome, URLS.c.last_reason)).all()
    database.close()
    return {row.url: f"{row.last_outcome}:{row.last_reason}" if row.last_reason else str(row.last_outcome) for row in found}


def own_scope(base: str, scope: str = "") -> str:
    """The YAML that lets a spider of the user's onto a server; `scope` are further keys."""
    return f"scope: {{hosts: ['{base.partition('//')[2]}'], {scope}}}"
