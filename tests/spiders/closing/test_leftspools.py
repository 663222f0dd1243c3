"""What a crashed worker left on a machine that did not close its run."""

from __future__ import annotations

from pathlib import Path

from schemas.config.crawl_file import parse_crawl
from schemas.config.settings import Settings
from spiders.closing.left_spools import sweep_spools
from spiders.run import close, crawl_once, plan
from spiders.spool.spool import spool_folder
from storage.ledger.ledger import open_ledger
from tests.spiders.sharedhosts import respond
from tests.spiders.smallserver import small_server


def left_spool(settings: Settings, crawl_run: str) -> list[Path]:
    folder = spool_folder(settings, crawl_run, "w9")
    folder.mkdir(parents=True)
    files = [folder / f"w9-001-abcdef-00001{suffix}" for suffix in (".warc.gz", ".journal")]
    for file in files:
        file.write_bytes(b"of a worker that crashed")
    return files


def test_the_next_worker_on_the_machine_removes_the_spools_of_closed_runs(settings: Settings, tmp_path: Path) -> None:
    """The run is closed by another machine, which has a home of its own."""
    with small_server(respond) as server:
        crawl = parse_crawl(f"seeds: [{server.base}/1]\nnetwork: {{allow: [127.0.0.1/32]}}\npoliteness: {{delay: 0}}\n", "small")
        database = {"database": settings.database} if settings.database else {}
        elsewhere = settings.model_copy(update={"home": tmp_path / "elsewhere", "store": settings.store_url()}) if database else settings
        closed = plan(crawl, "first", settings).crawl_run
        left = left_spool(settings, closed)
        close(closed, elsewhere)
        assert all(path.exists() for path in left) or not database
        unknown = left_spool(settings, "small-20200101T000000Z-abcdef")
        unfinished = left_spool(settings, plan(parse_crawl("seeds: [https://a.example/]", "other"), "k", settings).crawl_run)
        crawl_once(crawl, settings)
    assert not any(path.exists() for path in left)
    assert not (settings.home / "spool" / closed).exists()
    assert all(path.exists() for path in (*unknown, *unfinished))


def test_a_machine_without_spools_has_nothing_to_sweep(sqlite_settings: Settings) -> None:
    assert sweep_spools(sqlite_settings, open_ledger(sqlite_settings)) == 0
