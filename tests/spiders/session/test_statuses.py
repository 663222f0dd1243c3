"""What the status of a response means for its URL."""

from schemas.config.settings import Settings
from tests.spiders.crawling import crawl_urls
from tests.spiders.smallserver import Headers, small_server

PAGE = b"<!doctype html><title>A page</title><p>A page. <a href='/from%s'>more</a></html>"
FAILED = [500, 503, 508, 522, 525, 530, 598, 600, 777, 999]  # unknown ones count as 5xx
FETCHED = [200, 201, 203, 226, 300, 402, 403, 404, 451, 501]
RANGES = {"/206": "bytes 0-%d/%d", "/206-part": "bytes 0-%d/9%d", "/206-no": ""}


def respond(path: str, times: int) -> tuple[int, Headers, bytes]:
    body = PAGE % path.encode()
    if path in RANGES:
        written = RANGES[path]
        return 206, {"Content-Range": written % (len(body) - 1, len(body))} if written else {}, body
    if path == "/304":
        return 304, {}, b""
    return (int(path[1:]), {}, body) if path[1:].isdigit() else (404, {}, b"")


def test_statuses(sqlite_settings: Settings) -> None:
    with small_server(respond) as server:
        seeds = [f"{server.base}/{name}" for name in [*FAILED, *FETCHED, 304, "206", "206-part", "206-no"]]
        crawled = crawl_urls(sqlite_settings, seeds, "budgets: {max_retries: 0}")
    outcomes = {url.removeprefix(server.base): outcome for url, outcome in crawled.outcomes.items()}
    assert {status: outcomes[f"/{status}"] for status in FAILED} == dict.fromkeys(FAILED, "failed:http_error")
    assert {status: outcomes[f"/{status}"] for status in FETCHED} == dict.fromkeys(FETCHED, "fetched")
    assert outcomes["/304"] == "failed:malformed_response", "nobody asked whether it has changed"
    assert (outcomes["/206"], outcomes["/206-part"], outcomes["/206-no"]) == ("fetched", "fetched:truncated", "fetched:truncated")
    assert {row.url.removeprefix(server.base) for row in crawled.rows if row.content_truncated} == {"/206-part", "/206-no"}
    links = {path for path in outcomes if path.startswith("/from")}
    assert links == {f"/from/{name}" for name in (200, 201, 203, 226, 300, "206", "206-part", "206-no")}
