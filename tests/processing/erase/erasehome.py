"""A home in which a page that is to be erased has left traces everywhere."""

from __future__ import annotations

import json
import secrets
import sqlite3
import time
from contextlib import closing
from dataclasses import replace

from sqlalchemy import insert, select

from processing import stages
from processing.clean.identity import page_url, url_id
from schemas.capture import Capture
from schemas.config.settings import Settings
from schemas.keys import items_key, segment_items_key, segment_of
from schemas.page import Hints
from storage.database.engine import open_database
from storage.database.frontier_tables import FETCHES, HOSTS, URLS
from storage.database.ledger_tables import CRAWL_RUNS
from storage.frontier.manifests import store_manifest
from storage.index.cdxj import store_cdxj
from storage.index.rows import CaptureRow
from storage.ledger.ledger import open_ledger
from storage.objects.open import open_store
from storage.urls.host_key import url_digest
from storage.warc.records import sha1
from tests.processing.crawlruns import article, capture, closed_run, html, prose, store_items
from tests.processing.test_datasets import CRAWL, SHOP, product, with_dataset

GONE, GONE_PRODUCT, LEFT, HUB = f"{SHOP}/people/jane%20doe", f"{SHOP}/p/secret-kettle", f"{SHOP}/a/left", f"{SHOP}/hub"
FIRST, SECOND, THIRD = (f"shop-20260301T120000Z-00000{number}" for number in (1, 2, 3))
ENTRIES = [GONE, f"{SHOP}/p/secret*"]
MARKED = html("Quuxmarker of Jane Doe", [*prose(77), "The word zyzzyva stands here and in no other page of the world."])
IDS = [url_id(page_url(GONE)), sha1(MARKED.replace("here", "here 1").encode())]  # of the article and of its bytes
NEEDLES = [*IDS, "quuxmarker", "zyzzyva", "people/jane%20doe", "secret-kettle", "secret-broken", "%2Fpeople%2Fjane"]


def captures(run: int) -> list[Capture]:
    """What a run fetches: two pages that are to be erased, one that was found on them, and one more."""
    at = run * 60
    found = replace(article(LEFT, run, at + 2), via=GONE, hints=Hints(title="Left", source="hub"))
    gone = replace(capture(GONE, MARKED.replace("here", f"here {run}"), at), via=HUB, hints=Hints(title="Quuxmarker story"))
    moved = replace(capture(f"{SHOP}/old", "", at + 4, status=301), response_headers=((b"Location", GONE.encode()),))
    return [
        gone,
        product("secret-kettle", "S1", f"{run}.00", at + 1, name="Zyzzyva kettle"),
        found,
        product("2", "A2", "5.00", at + 3),
        moved,
        product("secret-broken", "S2", "cheap", at + 5, name="Zyzzyva bowl"),
    ]


def fill(settings: Settings) -> Settings:
    """Two processed runs, one with revisits, and a third that is closed and extracted, but not published."""
    settings = with_dataset(settings)
    first = closed_run(settings, CRAWL, "1", captures(1))
    _items(settings, first)
    assert stages.process_once("shop", settings) is not None
    refers_to = {row.url: row for row in first if row.url == GONE}
    closed_run(settings, CRAWL, "2", captures(2)[:1], captures(2)[1:], refers_to=refers_to)
    assert stages.process_once("shop", settings) is not None
    closed_run(settings, CRAWL, "3", captures(3))
    planned = stages.plan("shop", settings)
    assert planned is not None
    for segment in stages.segments(planned.process_run, settings):
        stages.extract(planned.process_run, segment, settings)
    _frontier(settings)
    _texts(settings)
    return settings


def _items(settings: Settings, rows: list[CaptureRow]) -> None:
    row = next(row for row in rows if row.url == GONE)
    store_items(settings, row, {"name": "zyzzyva"})
    store, segment_items = open_store(settings), segment_items_key("shop", FIRST, segment_of(row.warc_filename))
    store.put_bytes(items_key("shop", FIRST), store.get_bytes(segment_items))
    store_cdxj("shop", FIRST, rows, store)
    ledger = open_ledger(settings)
    store_manifest(ledger.manifest(FIRST), store)
    ledger.close()


def _frontier(settings: Settings) -> None:
    """What the frontier knows of the pages."""
    database = open_database(settings.database_url("frontier"))
    now = time.time()
    with database.write() as connection:
        run_no = connection.scalar(select(CRAWL_RUNS.c.run_no).where(CRAWL_RUNS.c.crawl_run == FIRST))
        connection.execute(insert(HOSTS).values(host_id=1, host="shop.example.com"))
        for url, via in ((GONE, HUB), (GONE_PRODUCT, HUB), (LEFT, GONE), (HUB, None)):
            request = json.dumps({"callback": "parse", "headers": {"Referer": GONE}}) if url == LEFT else None
            values = {
                "digest": url_digest("shop", url),
                "crawl": "shop",
                "host_id": 1,
                "priority": 1,
                "url": url,
                "kind": "page",
                "via": via,
            }
            values |= {"depth": 1, "redirects": 0, "first_seen": now, "due_at": now, "hint_title": "Quuxmarker story", "request": request}
            values |= {"hint_title": None} if url in {LEFT, HUB} else {}
            made = connection.execute(insert(URLS).values(values).returning(URLS.c.url_id)).scalar_one()
            connection.execute(insert(FETCHES).values(run_no=run_no, url_id=made, outcome="fetched", status=200, fetched_at=now))
    database.close()


def _texts(settings: Settings) -> None:
    """Logs, a worker's statistics, and an Airflow."""
    line = f"2026-03-01 fetched {GONE}, then {LEFT}.\nq={GONE.replace(':', '%3A').replace('/', '%2F')}\n"
    (settings.home / "logs").mkdir()
    (settings.home / "logs" / "crawl.log").write_text(line)
    store = open_store(settings)
    store.put_bytes("airflow-logs/dag_id=crawl_shop/attempt=1.log", line.encode())
    store.put_bytes(f"statistics/shop/{FIRST}/w0-001.json", json.dumps({"message": f"failed at {GONE}"}).encode())
    folder = settings.home / "airflow"
    folder.mkdir()
    with closing(sqlite3.connect(folder / "airflow.db")) as connection:
        connection.execute("CREATE TABLE dag_run (id INTEGER PRIMARY KEY, conf JSON, note VARCHAR(99), data BLOB)")
        given = (json.dumps({"url": GONE, "dry_run": True}), secrets.token_hex(4), json.dumps([GONE]).encode())
        connection.execute("INSERT INTO dag_run (conf, note, data) VALUES (?, ?, ?)", given)
        connection.commit()
