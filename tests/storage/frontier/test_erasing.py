"""URLs are erased from the database: their rows stay as numbers, and those of a run that is not closed wait for its end."""

from __future__ import annotations

import json
import time

from sqlalchemy import insert, select, update

from processing.erase.scope import REPLACEMENT, Scope
from schemas.config.settings import Settings
from storage.database.dead_rows import remove_dead_rows
from storage.database.engine import Database, open_database
from storage.database.frontier_tables import FETCHES, HOSTS, ROBOTS, SEED_HOSTS, URLS
from storage.database.ledger_tables import CRAWL_RUNS, HELD, PROCESS_INPUTS, PROCESS_RUNS
from storage.frontier.admin.erasing import ErasedRows, count_urls, drop_process_runs, erase_urls, found_on
from storage.urls.host_key import url_digest

GONE, OPEN, OTHER = "https://a.example/people/1", "https://a.example/people/2", "https://a.example/story"
ENTRIES = ["https://a.example/people/*", "b.example"]


def filled(settings: Settings) -> Database:
    """Two runs, one of them open, with URLs in each."""
    database = open_database(settings.database_url("frontier"))
    with database.write() as connection:
        for number, state in ((1, "closed"), (2, "open")):
            config = json.dumps({"name": "c", "seeds": [{"url": GONE}], "scope": ["b.example", "a.example"]})
            manifest = json.dumps({"crawl_run": "c-1", "left_over_urls": [GONE, OTHER]}) if state == "closed" else None
            run = {"run_no": number, "crawl_run": f"c-{number}", "crawl": "c", "key": str(number), "planned_at": 0.0, "code_version": "1"}
            connection.execute(
                insert(CRAWL_RUNS).values(**run, config_hash="1", config=config, manifest=manifest, state=state, bytes=0, pages=0)
            )
            process = {
                "process_run": f"p-{number}",
                "crawl": "c",
                "code_version": "1",
                "config_hash": "1",
                "config": "{}",
                "memory_version": 0,
            }
            connection.execute(insert(PROCESS_RUNS).values(**process, published_at=1.0 if number == 1 else None))
            connection.execute(insert(PROCESS_INPUTS).values(process_run=f"p-{number}", crawl_run="c-1"))
        held = {
            "crawl_run": "c-1",
            "dataset": "d",
            "crawl": "c",
            "process_run": "p-1",
            "reason": f"1 row, first from {GONE}.",
            "held_at": 0.0,
        }
        connection.execute(insert(HELD).values(held))
        connection.execute(insert(HOSTS), [{"host_id": 1, "host": "a.example"}, {"host_id": 2, "host": "b.example"}])
        connection.execute(insert(SEED_HOSTS).values(crawl="c", host="b.example", url="https://b.example/"))
        connection.execute(insert(ROBOTS).values(origin="https://b.example", status=200, body=b"", expires_at=0.0))
        for number, url in enumerate((GONE, OPEN, OTHER), 1):
            row = {"url_id": number, "digest": url_digest("c", url), "crawl": "c", "host_id": 1, "priority": 1, "url": url, "kind": "page"}
            row |= {"depth": 1, "redirects": 0, "first_seen": 0.0, "via": GONE if url == OTHER else "https://a.example/hub", "etag": "e"}
            row["request"] = json.dumps({"headers": {"Referer": GONE}}) if url == OTHER else None
            connection.execute(insert(URLS).values(row))
            connection.execute(insert(FETCHES).values(run_no=1, url_id=number, outcome="fetched", fetched_at=time.time()))
        connection.execute(update(URLS).where(URLS.c.url == OPEN).values(run_no=2))
    return database


def test_urls_are_erased_and_sums_stay(settings: Settings) -> None:
    database, text = filled(settings), Scope(ENTRIES).erased_text()
    assert (count_urls(database, text), found_on(database, text)) == (2, {"https://a.example/hub"})
    assert erase_urls(database, text) == ErasedRows(urls=1, mentions=1 + 3, hosts=3, waiting=1)
    with database.read() as connection:
        rows = {row.url_id: row for row in connection.execute(select(URLS))}
        assert (rows[1].url, rows[1].via, rows[1].etag, rows[1].due_at) == (f"{REPLACEMENT}1", None, None, None)
        assert (rows[2].url, rows[3].url, rows[3].via) == (OPEN, OTHER, None)
        assert json.loads(rows[3].request) == {"headers": {"Referer": REPLACEMENT}}
        assert len(connection.execute(select(FETCHES)).all()) == 3
        assert connection.scalar(select(HELD.c.reason)) == f"1 row, first from {REPLACEMENT}."
        config = json.loads(connection.scalar(select(CRAWL_RUNS.c.config).where(CRAWL_RUNS.c.run_no == 1)) or "")
        assert config == {"name": "c", "seeds": [{"url": REPLACEMENT}], "scope": ["erased.invalid", "a.example"]}
        manifest = json.loads(connection.scalar(select(CRAWL_RUNS.c.manifest).where(CRAWL_RUNS.c.run_no == 1)) or "")
        assert manifest["left_over_urls"] == [REPLACEMENT, OTHER]
        assert sorted(connection.scalars(select(HOSTS.c.host))) == ["2.erased.invalid", "a.example"]
    assert erase_urls(database, text) == ErasedRows(waiting=1)
    with database.write() as connection:
        connection.execute(update(CRAWL_RUNS).values(state="closed"))
        connection.execute(update(URLS).values(run_no=None))
        assert drop_process_runs(connection, ["c-1", "c-9"]) == ["p-2"]
    assert erase_urls(database, text) == ErasedRows(urls=1)
    remove_dead_rows(settings)
    if not settings.database:
        data = b"".join(path.read_bytes() for path in settings.home.glob("frontier.sqlite*"))
        assert b"/people/" not in data
        assert OTHER.encode() in data
    database.close()


def test_texts_without_urls() -> None:
    scope = Scope([GONE, "*.b.example"])
    for text, expected in (
        (f"see {GONE}, and {OTHER}.", f"see {REPLACEMENT}, and {OTHER}."),
        (f"({GONE}#part)", f"({REPLACEMENT})"),
        ("q=https%3A%2F%2Fa.example%2Fpeople%2F1&x=1", f"q={REPLACEMENT}&x=1"),
        (f"{GONE}0 is another page, http://a.example/people/1 is not", f"{GONE}0 is another page, {REPLACEMENT} is not"),
        ("www.b.example:8080, b.example and b.example.org", "erased.invalid, erased.invalid and b.example.org"),
        ("nothing", "nothing"),
    ):
        assert scope.text(text) == expected
    assert scope.value({"b.example": 1, "x.b.example": [GONE], "n": 2}) == {"erased.invalid": 1, "erased.invalid-2": [REPLACEMENT], "n": 2}
