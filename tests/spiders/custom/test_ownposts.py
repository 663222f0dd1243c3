"""POST requests of a user's spider: each body is a row of its own, fetched and archived like a page, and found again by replay."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import scrapy
from scrapy.http import FormRequest, JsonRequest
from warcio.archiveiterator import ArchiveIterator

from schemas.config.settings import Settings
from schemas.errors import SpiderError
from schemas.keys import cdxj_key
from spiders.custom.request_text import MAX_BODY_BYTES, request_from_text, request_text
from storage.frontier.admin.changes import open_frontier_admin
from storage.frontier.admin.history import read_history, read_post_histories
from storage.frontier.admin.selection import Selection
from storage.objects.open import open_store
from storage.urls.host_key import url_digest
from storage.urls.request_body import describe_request, read_request_body
from tests.spiders.owncrawls import Plain, items_of, run
from tests.spiders.smallserver import Headers, SmallServer, small_server

pytestmark = pytest.mark.servers_in_chaos

PAGES = 3
AT_ONCE = "revisit: {feeds_max: 0, sitemaps_max: 0, hubs_max: 0, articles_min: 0, articles_max: 0}"


def shop(path: str, times: int) -> tuple[int, Headers, bytes]:
    if path == "/robots.txt":
        return 200, {"Content-Type": "text/plain"}, b"User-agent: *\nDisallow: /closed"
    return 200, {"ETag": '"one"'}, f"<p>You asked for {path}.".encode()


def till(path: str, body: bytes, times: int) -> tuple[int, Headers, bytes]:
    if path == "/form":
        return 303, {"Location": "/form"}, b""
    if path == "/moved":
        return 307, {"Location": "/api"}, b""
    page = json.loads(body)["page"]
    answer = {"stories": [10 * page, 10 * page + 1], "more": page + 1 < PAGES}
    return 200, {"Content-Type": "application/json", "ETag": '"one"', "Set-Cookie": "till=s3cret"}, json.dumps(answer).encode()


def bodies(server: SmallServer, path: str = "/api") -> list[bytes]:
    return sorted(one.body for one in server.asked if one.path == path and one.method == "POST")


def asked_pages(count: int = PAGES) -> list[bytes]:
    return [b'{"page": %d}' % page for page in range(count)]


def test_each_body_is_a_row_of_its_own(at: Callable[[SmallServer], None], settings: Settings) -> None:
    with small_server(shop, post=till) as server:
        at(server)
        done = run("Search", server, settings)
        assert bodies(server) == asked_pages()
        sent = next(one.headers for one in server.asked if one.path == "/api" and one.method == "POST")
        assert (sent["Content-Type"], sent["Content-Length"]) == ("application/json", "11")
        (form,) = [one for one in server.asked if one.path == "/form" and one.method == "POST"]
        assert (form.body, form.headers["Content-Type"]) == (b"q=%C3%A4+b&n=1", "application/x-www-form-urlencoded")
        assert [one.headers.get("Content-Type") for one in server.asked if one.path == "/form" and one.method == "GET"] == [None]
        base = server.base
    assert done.manifest.counts.model_dump() == {"due": 6, "fetched": 6, "denied": 0, "failed": 0, "filtered": 0, "left_over": 0}
    items = [one["item"] for one in items_of(done.manifest, settings)]
    pages = sorted((one for one in items if "page" in one), key=lambda one: int(one["page"]))
    assert pages == [{"page": n, "sent": f'{{"page": {n}}}', "stories": [10 * n, 10 * n + 1]} for n in range(PAGES)]
    assert [one for one in items if "landed" in one] == [{"method": "GET", "landed": "/form", "body": ""}]
    assert [one for one in items if "got" in one] == [{"got": "<p>You asked for /api."}]
    rows = {(row.url.removeprefix(base), row.request_method, row.request_body) for row in done.rows if row.kind == "page"}
    assert rows == {
        ("/api", None, None),
        ("/form", None, None),
        ("/form", "POST", "q=ä b&n=1"),
        *{("/api", "POST", f"page={page}") for page in range(PAGES)},
    }


def test_the_rows_of_a_url_are_told_apart(at: Callable[[SmallServer], None], settings: Settings) -> None:
    with small_server(shop, post=till) as server:
        at(server)
        run("Search", server, settings)
    url = f"{server.base}/api"
    history, posts = read_history(settings, "test", url), read_post_histories(settings, "test", url)
    assert history is not None
    assert history.request == "GET"
    assert sorted(post.request for post in posts) == [f'POST {{"page": {page}}}' for page in range(PAGES)]
    assert all(post.capture != history.capture and len(post.visits) == 1 for post in posts)
    steering = open_frontier_admin(settings)
    listed = [row.request for row in steering.urls(Selection(crawl="test", glob=url), 10)]
    assert sorted(listed) == ["GET", *sorted(post.request for post in posts)]
    steering.rename_crawl("test", "other")
    assert len(read_post_histories(settings, "other", url)) == PAGES
    assert read_history(settings, "other", url) is not None
    steering.close()


def test_it_is_asked_again_whole_in_the_next_run(at: Callable[[SmallServer], None], settings: Settings) -> None:
    with small_server(shop, post=till) as server:
        at(server)
        run("Search", server, settings, AT_ONCE)
        server.asked.clear()
        again = run("Search", server, settings, AT_ONCE)
        assert bodies(server) == asked_pages()
        assert {one.method for one in server.asked if "If-None-Match" in one.headers} == {"GET"}
    posts = [row for row in again.rows if row.request_method == "POST" and row.fetch_status == 200]
    assert len(posts) == PAGES
    assert {row.record_type for row in posts} == {"response"}
    assert {row.record_type for row in again.rows if row.url.endswith("/api") and row.request_method is None} == {"revisit"}
    assert sum("page" in one["item"] for one in items_of(again.manifest, settings)) == PAGES


def test_the_archive_has_what_was_sent(
    at: Callable[[SmallServer], None], sqlite_settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CRAWLHOUSE_SECRET_TILL", '{"headers": {"X-Api-Key": "key-7f31a9"}}')
    with small_server(shop, post=till) as server:
        at(server)
        done = run("Search", server, sqlite_settings, f"credentials: [{{origin: '{server.base}', secret: till}}]")
        assert {one.headers.get("X-Api-Key") for one in server.asked if one.method == "POST"} == {"key-7f31a9"}
    store = open_store(sqlite_settings)
    paths = [tmp_path / segment.warc_key for segment in done.manifest.segments]
    requests = []
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(store.get_bytes(str(path.relative_to(tmp_path))))
        with path.open("rb") as stream:
            records = (record for record in ArchiveIterator(stream) if record.rec_type == "request")
            requests += [(record.http_headers, record.content_stream().read()) for record in records]
    posted = {body: headers for headers, body in requests if headers.protocol == "POST"}
    assert sorted(posted) == [b"q=%C3%A4+b&n=1", *asked_pages()]
    assert all(headers.get_header("Content-Length") == str(len(body)) for body, headers in posted.items())
    assert all(headers.get_header("X-Api-Key") is None for headers in posted.values())
    tool = Path(sys.executable).with_name
    said = subprocess.run([str(tool("warcio")), "check", "-v", *map(str, paths)], capture_output=True, text=True, check=False)
    assert said.returncode == 0, said.stdout + said.stderr
    command = [str(tool("cdxj-indexer")), "--sort", "--post-append", "--dir-root", str(tmp_path), *map(str, paths)]
    others = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    ours = store.get_bytes(cdxj_key("test", done.manifest.crawl_run)).decode()
    assert ours == others
    assert ours.count('"method": "POST"') == PAGES + 1
    assert re.search(r"\)/api\?__wb_method=post&page=2 ", ours)


def test_what_holds_for_a_page_holds_for_it(at: Callable[[SmallServer], None], sqlite_settings: Settings) -> None:
    def busy(path: str, body: bytes, times: int) -> tuple[int, Headers, bytes]:
        return (503, {}, b"") if path == "/busy" and times == 0 else till("/moved" if path == "/moved" else "/api", b'{"page": 9}', times)

    with small_server(shop, post=busy) as server:
        at(server)
        done = run("Posts", server, sqlite_settings)
        assert bodies(server, "/busy") == [b"again", b"again"]
        assert bodies(server, "/api") == [b"carried"]
        assert not bodies(server, "/closed")
    assert done.manifest.reasons == {"denied:robots": 1}
    assert done.manifest.statistics.refused_requests == {"out_of_scope": 1}
    assert sorted(one["item"]["sent"] for one in items_of(done.manifest, sqlite_settings)) == ["again", "carried"]


def test_a_request_with_a_body_and_back() -> None:
    spider = Plain()
    for made in (
        JsonRequest("http://x.test/", data={"a": "ü"}),
        FormRequest("http://x.test/", formdata={"a": "1"}),
        scrapy.Request("http://x.test/", method="POST", body=b"\xff\x00"),
        scrapy.Request("http://x.test/", method="post"),
    ):
        back = request_from_text(request_text(made, spider), "http://x.test/", spider)
        assert (back.method, back.body, back.headers) == ("POST", made.body, made.headers)
    get = request_text(scrapy.Request("http://x.test/", meta={"method": "POST"}), spider)
    assert read_request_body(get) is None
    assert url_digest("c", "http://x.test/", get) == url_digest("c", "http://x.test/")
    assert describe_request(get) == "GET"
    one, same, other = (
        request_text(scrapy.Request("http://x.test/", method="POST", body=body, meta={"n": n}), spider) for n, body in enumerate("aab")
    )
    assert len({url_digest("c", "http://x.test/", text) for text in (None, one, same, other)}) == 3


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"method": "PUT", "body": "a"}, "is a PUT request: a crawl only reads, by GET, or by POST"),
        ({"method": "DELETE"}, "is a DELETE request: a crawl only reads"),
        ({"body": "a"}, r"is a GET request with a body, which sites and archives ignore .* Send a POST"),
        ({"method": "POST", "body": "a" * (MAX_BODY_BYTES + 1)}, "has a body of 65,537 bytes: at most 65,536 are stored"),
        (
            {"method": "POST", "body": "a", "headers": {"Content-Type": "multipart/form-data; boundary=x"}},
            "has a body of type multipart/form-data; boundary=x: uploads are not for a crawl",
        ),
        ({"method": "POST", "body": "a", "headers": {"Content-Length": "1"}}, "has a header Content-Length, .* it follows from the body"),
    ],
)
def test_what_cannot_be_sent_is_named(given: dict[str, Any], message: str) -> None:
    with pytest.raises(SpiderError, match=message):
        request_text(scrapy.Request("http://x.test/", **given), Plain())
