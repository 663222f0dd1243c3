"""Makes `home_version_N.tar.gz`, a small home as this code writes it, and `home_version_N.sql`, its tables for PostgreSQL.

Run as `python -m tests.data.make_home` before the tables get another version; what an earlier version made is never made again.
The home has two closed and processed runs of the crawl `news` (an article changed, one in quarantine), an open run with URLs due, and a
planned run of `proxied`; in version 4 its proxy has a password (no file may have one any more). From version 5 on `news` has a dataset of
its own, `headlines`, with a row in quarantine. `tests/kepthome.py` unpacks it.
"""

from __future__ import annotations

import shutil
import tarfile
from collections.abc import Iterable
from pathlib import Path

from sqlalchemy.dialects import postgresql
from sqlalchemy.schema import CreateIndex, CreateTable

from processing.stages import process_once
from schemas.config.crawl_file import parse_crawl, read_crawl
from schemas.config.settings import Settings
from spiders.run import crawl_once, plan
from storage.database.migrations import SCHEMA_VERSION
from storage.database.version_table import METADATA
from tests.keptsite import BASE, kept_site

ROOT = Path("/tmp") / "crawlhouse-kept-home-".ljust(195, "x")  # 200 characters: as long as any path that it is unpacked to
COMMON = "network: {allow: [127.0.0.0/8]}\npoliteness: {delay: 0}\nrevisit: {articles_min: 0, articles_max: 0, hubs_max: 0}\n"
NEWS = f"seeds: ['{BASE}/']\ndatasets: [articles, headlines]\n" + COMMON
PROXIED = f"seeds: ['{BASE}/']\nnetwork: {{allow: [127.0.0.0/8], proxy: '{BASE}'}}\n"
HEADLINES = """\
source: {selectors: {title: h1}}
match: [/news/]
key: [url]
fields:
  title: {type: string}
expectations:
  - {type: expect_column_values_to_not_match_regex, column: title, regex: '3$', severity: warning}
"""


def make_home() -> None:
    """Crawl and process the site twice, plan two runs that stay open, and pack all of it."""
    ROOT.mkdir(mode=0o755)
    try:
        settings = Settings(home=ROOT / "home", crawls=ROOT / "crawls")
        settings.crawls.mkdir()
        (settings.crawls / "news.yaml").write_text(NEWS, encoding="utf-8")
        (ROOT / "datasets").mkdir()
        (ROOT / "datasets" / "headlines.yaml").write_text(HEADLINES, encoding="utf-8")
        for tick in range(2):
            with kept_site(tick):
                crawl_once(read_crawl(settings.crawls / "news.yaml"), settings)
            assert process_once("news", settings) is not None
        plan(read_crawl(settings.crawls / "news.yaml"), "open", settings)
        plan(parse_crawl(PROXIED, "proxied"), "open", settings)
        _pack()
    finally:
        shutil.rmtree(ROOT)


def _pack() -> None:
    base = Path(__file__).parent / f"home_version_{SCHEMA_VERSION}"
    with tarfile.open(f"{base}.tar.gz", "w:gz") as archive:
        for path in sorted(ROOT.rglob("*")):
            if path.is_file() and not path.name.endswith(("-shm", "-wal", ".lock")):
                archive.add(path, path.relative_to(ROOT))
    Path(f"{base}.sql").write_text("".join(f"{statement};\n" for statement in _statements()), encoding="utf-8")


def _statements() -> Iterable[str]:
    """How PostgreSQL makes the tables of this version, a statement a line; their rows are the SQLite file's."""
    dialect = postgresql.dialect()
    for table in METADATA.sorted_tables:
        indexes = sorted(table.indexes, key=lambda index: str(index.name))
        for creation in (CreateTable(table), *(CreateIndex(index) for index in indexes)):
            yield " ".join(str(creation.compile(dialect=dialect)).split())


if __name__ == "__main__":
    make_home()
