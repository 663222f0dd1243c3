"""What becomes of AI preferences in headers and robots.txt, from the site to the tables."""

from __future__ import annotations

from processing import stages
from schemas.config.crawl_file import parse_crawl
from schemas.config.settings import Settings
from spiders.run import crawl_once
from storage.lake.query import connect
from tests.processing.crawlruns import html, prose
from tests.spiders.smallserver import Headers, small_server

ROBOTS = b"User-agent: *\nContent-Usage: /robots train-ai=n\nContent-Signal: search=yes\n" + b"# more\n" * 4_000  # a reader parses it
HEADERS: dict[str, Headers] = {
    "/header": {"Content-Usage": "train-ai=n"},
    "/signal": {"Content-Signal": "ai-train=no"},
    "/both/robots": {"Content-Usage": "search=n"},
    "/allowed": {"Content-Usage": "train-ai=y"},
}


def respond(path: str, times: int) -> tuple[int, Headers, bytes]:
    if path == "/robots.txt":
        return 200, {"Content-Type": "text/plain"}, ROBOTS
    number = sum(path.encode())
    return 200, HEADERS.get(path, {}), html(f"Story {number}", prose(number)).encode()


def test_a_crawl_records_what_is_stated_and_obeys_where_it_says_what_for(sqlite_settings: Settings) -> None:
    paths = ("/header", "/signal", "/robots/a", "/allowed")
    with small_server(respond) as server:
        extra = "{delay: 0, opt_outs: record, ai_preferences: obey, uses: [train-ai]}"
        for name, politeness in (("open", "{delay: 0, opt_outs: record}"), ("strict", extra)):
            text = f"seeds: {[server.base + path for path in paths]}\nnetwork: {{allow: [127.0.0.1/32]}}\npoliteness: {politeness}\n"
            crawl_once(parse_crawl(text, name), sqlite_settings)
            stages.process_once(name, sqlite_settings)
        with connect(sqlite_settings) as connection:
            sql = "SELECT url, content_usage, content_signal, outcome, reason, detail FROM captures WHERE crawl = ? AND kind = 'page'"
            found = {row[0].removeprefix(server.base): row[1:] for row in connection.execute(sql, ["open"]).fetchall()}
            assert found == {
                "/header": ("train-ai=n", "search=yes", "published", None, None),
                "/signal": (None, "ai-train=no, search=yes", "published", None, None),
                "/robots/a": ("train-ai=n", "search=yes", "published", None, None),
                "/allowed": ("train-ai=y", "search=yes", "published", None, None),
            }
            strict = {row[0].removeprefix(server.base): row[3:] for row in connection.execute(sql, ["strict"]).fetchall()}
            assert strict == {
                "/header": ("rejected", "ai_preference", "Content-Usage: train-ai=n"),
                "/signal": ("rejected", "ai_preference", "Content-Signal: ai-train=no, search=yes"),
                "/robots/a": ("rejected", "ai_preference", "Content-Usage: train-ai=n"),
                "/allowed": ("known", None, None),
            }
            stored = connection.sql("SELECT content_usage, content_signal FROM articles_latest WHERE url LIKE '%/robots/a'").fetchall()
            assert stored == [("train-ai=n", "search=yes")]
