"""Seeds from files in the store, and URLs asked for now."""

import io

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from schemas.config.crawl_file import parse_crawl
from schemas.config.settings import Settings
from schemas.errors import ConfigError, NotFoundError
from spiders.run import close, fetch, plan
from storage.objects.open import open_store
from tests.spiders.crawling import LOOPBACK, outcomes
from tests.spiders.smallserver import small_server

PAGE = b"<!DOCTYPE html><title>t</title><p>text"
NEVER = "revisit: {articles_min: 700, hubs_min: 24, hubs_max: 24, articles_max: 720}"


def parquet(column: str, urls: list[str | None]) -> bytes:
    sink = io.BytesIO()
    pq.write_table(pa.table({column: urls, "n": list(range(len(urls)))}), sink)
    return sink.getvalue()


@pytest.mark.parametrize("name", ["urls.txt", "urls.csv", "urls.parquet"])
def test_seeds_from_a_file(name: str, sqlite_settings: Settings) -> None:
    with small_server(lambda path, times: (200 if path in {"/a-1", "/b-2"} else 404, {}, PAGE)) as server:
        urls = [f"{server.base}/a-1", f"{server.base}/b-2"]
        data = {
            "urls.txt": ("# two pages\r\n" + "\r\n".join(urls) + "\r\n\r\n").encode(),
            "urls.csv": ("\ufeffn,link\n1," + urls[0] + '\n2,"' + urls[1] + '"\n3,\n').encode(),
            "urls.parquet": parquet("link", [*urls, None]),
        }[name]
        open_store(sqlite_settings).put_bytes(f"lists/{name}", data)
        column = "" if name == "urls.txt" else ", column: link"
        crawl = parse_crawl(f"seeds_file: {{key: lists/{name}{column}}}\npoliteness: {{delay: 0}}\n{LOOPBACK}", "test")
        run = plan(crawl, "once", sqlite_settings)
        assert plan(crawl, "once", sqlite_settings) == run
        fetch(run.crawl_run, "w1", sqlite_settings)
        close(run.crawl_run, sqlite_settings)
    assert outcomes(sqlite_settings) == dict.fromkeys(urls, "fetched")


def test_urls_asked_for_now(sqlite_settings: Settings) -> None:
    with small_server(lambda path, times: (404 if "." in path else 200, {}, PAGE)) as server:
        crawl = parse_crawl(f"seeds: ['{server.base}/seed-1']\npoliteness: {{delay: 0}}\n{LOOPBACK}\n{NEVER}", "test")
        for key, urls in (
            ("first", []),
            ("idle", []),
            ("again", [f"{server.base}/seed-1", f"{server.base}/new-2", "http://other.example/"]),
        ):
            run = plan(crawl, key, sqlite_settings, urls=urls)
            fetch(run.crawl_run, "w1", sqlite_settings)
            close(run.crawl_run, sqlite_settings)
        assert [path for path in server.paths() if "." not in path] == ["/seed-1", "/seed-1", "/new-2"]
    assert outcomes(sqlite_settings)["http://other.example/"] == "filtered:out_of_scope"


def test_files_that_cannot_be_read(sqlite_settings: Settings) -> None:
    store = open_store(sqlite_settings)
    store.put_bytes("bad.parquet", b"no parquet")
    store.put_bytes("bad.txt", b"\xff\xfe\x00")
    store.put_bytes("other.csv", b"address\nhttp://a.example/\n")
    for key, error, words in (
        ("none.txt", NotFoundError, "none.txt"),
        ("bad.parquet", ConfigError, "cannot be read"),
        ("bad.txt", ConfigError, "cannot be read"),
        ("other.csv", NotFoundError, "it has address"),
    ):
        with pytest.raises(error, match=words):
            plan(parse_crawl(f"seeds_file: {{key: {key}}}", "test"), "once", sqlite_settings)
    with pytest.raises(ConfigError, match="seeds_file"):
        parse_crawl("description: none", "test")
