"""Spiders of users: their requests go through frontier, scope, robots and archive like all others, and outlive any process."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import scrapy

from schemas.errors import ConfigError, CrawlhouseError, NotFoundError, SpiderError, ThresholdError
from schemas.keys import items_key
from schemas.manifest import Manifest
from schemas.settings import Settings
from spiders.requesttext import request_from_text, request_text
from spiders.run import close, crawl_once, fetch, plan
from storage.objects import open_store
from tests.demosite import DemoSite
from tests.spiders.crawling import Crawled, crawl_urls, outcomes, own_scope
from tests.spiders.smallserver import Headers, SmallServer, small_server

EXAMPLES = Path(__file__).parents[2] / "docs" / "examples"
STORIES = 30
PER_PAGE = 10


def items_of(manifest: Manifest, settings: Settings) -> list[dict[str, Any]]:
    """The items of a closed run, each with its page's path."""
    if not manifest.statistics.items:
        return []
    text = gzip.decompress(open_store(settings).get_bytes(items_key(manifest.crawl, manifest.crawl_run))).decode()
    found = [json.loads(line) for line in text.splitlines()]
    assert len(found) == manifest.statistics.items
    return found


def archive(settings: Settings) -> bytes:
    """All WARC segments, unpacked."""
    return b"".join(gzip.decompress(path.read_bytes()) for path in sorted((settings.home / "store" / "warc").rglob("*.warc.gz")))


def newsstand(path: str, times: int) -> tuple[int, Headers, bytes]:
    kind, _, number = path.strip("/").partition("/")
    if kind == "list":
        first = int(number) * PER_PAGE
        links = "".join(f'<a class="story" href="/story/{one}">{one}</a>' for one in range(first, first + PER_PAGE))
        following = f'<a class="next" href="/list/{int(number) + 1}">more</a>' if first + PER_PAGE < STORIES else ""
        return 200, {}, (links + following).encode()
    if kind == "story":
        return 200, {"ETag": '"one"'}, f"<h1>Story {number}</h1>".encode()
    return 404, {}, b""


@pytest.fixture
def at(monkeypatch: pytest.MonkeyPatch) -> Callable[[SmallServer], None]:
    """Tells the spiders where their site is."""
    return lambda server: monkeypatch.setenv("OWN_SPIDER_BASE", server.base)


@pytest.fixture
def stand(at: Callable[[SmallServer], None]) -> Iterator[SmallServer]:
    with small_server(newsstand) as server:
        at(server)
        yield server


def run(name: str, server: SmallServer, settings: Settings, extra: str = "", scope: str = "") -> Crawled:
    return crawl_urls(settings, [], f"spider: tests.spiders.ownspiders:{name}\n{own_scope(server.base, scope)}\n{extra}")


def test_a_spider_lists_and_reads_with_arguments_and_meta(stand: SmallServer, settings: Settings) -> None:
    done = run("Stories", stand, settings)
    assert done.manifest.counts.model_dump() == {"due": 33, "fetched": 33, "denied": 0, "failed": 0, "filtered": 0, "left_over": 0}
    assert {row.url for row in done.rows if row.kind == "page"} == set(done.outcomes)
    items = items_of(done.manifest, settings)
    assert sorted(one["item"]["number"] for one in items) == list(range(STORIES))
    assert {one["item"]["listed"] for one in items} == {"zero"}
    assert all(one["item"]["title"] == f"Story {one['url'].rpartition('/')[2]}" for one in items)
    rows = {(row.warc_filename, row.warc_record_offset): row.url for row in done.rows}
    assert all(rows[(one["warc_filename"], one["warc_record_offset"])] == one["url"] for one in items)
    pages = {one.path: one.headers.get("X-Page") for one in stand.asked if "robots" not in one.path}
    assert pages["/list/0"] == "list"
    assert {pages[path] for path in pages if path != "/list/0"} == {None}


def test_the_frontier_remembers_the_callbacks_for_the_next_run(stand: SmallServer, sqlite_settings: Settings) -> None:
    at_once = "revisit: {feeds_max: 0, sitemaps_max: 0, hubs_max: 0, articles_min: 0, articles_max: 0}"
    run("Stories", stand, sqlite_settings, at_once)
    stand.asked.clear()
    again = run("Stories", stand, sqlite_settings, at_once)
    assert again.manifest.counts.fetched == 33
    assert not again.manifest.statistics.callback_errors
    assert sum(one.headers.get("If-None-Match") == '"one"' for one in stand.asked) == STORIES
    assert sorted(one["item"]["number"] for one in items_of(again.manifest, sqlite_settings)) == list(range(STORIES))  # it answers 200


def test_start_urls_are_enough(at: Callable[[SmallServer], None], sqlite_settings: Settings) -> None:
    with small_server(lambda path, times: (404, {}, b"") if "." in path else (200, {}, b"<p>Here.")) as server:
        at(server)
        done = run("StartUrls", server, sqlite_settings)
    assert sorted(one["item"]["path"] for one in items_of(done.manifest, sqlite_settings)) == ["/a", "/b"]


def test_seeds_come_to_parse_too(at: Callable[[SmallServer], None], sqlite_settings: Settings) -> None:
    with small_server(lambda path, times: (404, {}, b"") if "." in path else (200, {}, b"<a href='/not-followed'>x</a>")) as server:
        at(server)
        done = crawl_urls(sqlite_settings, [f"{server.base}/seed"], "spider: tests.spiders.ownspiders:StartUrls")
    assert sorted(one["item"]["path"] for one in items_of(done.manifest, sqlite_settings)) == ["/a", "/b", "/seed"]
    assert done.manifest.counts.due == 3


def test_a_rule_spider_of_scrapys_own_kind(stand: SmallServer, sqlite_settings: Settings) -> None:
    done = run("Rules", stand, sqlite_settings)
    assert done.manifest.statistics.items == STORIES
    assert done.manifest.counts.fetched == 33


def with_etag(path: str, times: int) -> tuple[int, Headers, bytes]:
    return (404, {}, b"") if "." in path else (200, {"ETag": '"same"'}, f"<p>{path}".encode())


def test_a_callback_that_breaks_is_counted_and_its_page_comes_again(
    at: Callable[[SmallServer], None], settings: Settings, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    with small_server(with_etag) as server:
        at(server)
        done = run("Clumsy", server, settings)
        broken = {f"{server.base}/page/{number}" for number in (1, 3, 5)}
        assert {url for url, became in done.outcomes.items() if became == "failed:callback_error"} == broken
        assert {row.url for row in done.rows} >= broken
        assert (done.manifest.counts.fetched, done.manifest.counts.failed) == (3, 3)
        assert done.manifest.statistics.callback_errors == {"parse: KeyError": 3}
        assert sorted(one["item"]["number"] for one in items_of(done.manifest, settings)) == [0, 1, 2, 3, 4, 5]
        said = capfd.readouterr().err
        assert "parse of Clumsy broke at" in said
        assert "KeyError: 'price'" in said
        assert (
            "custom_settings['ROBOTSTXT_OBEY'] of Clumsy has no effect in crawlhouse. Say it in the crawl's YAML: politeness.robots" in said
        )

        monkeypatch.setenv("OWN_SPIDER_REPAIRED", "1")
        server.asked.clear()
        again = run("Clumsy", server, settings)
    assert {one.path for one in server.asked if one.path.startswith("/page/")} >= {"/page/1", "/page/3", "/page/5"}
    assert not [one for one in server.asked if one.path[-1] in "135" and "If-None-Match" in one.headers]
    assert not again.manifest.statistics.callback_errors
    assert {outcomes(settings)[url] for url in broken} == {"fetched"}


def test_broken_callbacks_can_turn_the_run_red(at: Callable[[SmallServer], None], sqlite_settings: Settings) -> None:
    with small_server(with_etag) as server:
        at(server)
        with pytest.raises(ThresholdError, match=r"3 of 6 fetches failed.*failed by callback_error \(3\) of its 6 URLs"):
            run("Clumsy", server, sqlite_settings, "thresholds: {max_error_rate: 0.4}")


def test_what_it_may_not_have(at: Callable[[SmallServer], None], sqlite_settings: Settings, capfd: pytest.CaptureFixture[str]) -> None:
    def respond(path: str, times: int) -> tuple[int, Headers, bytes]:
        robots = b"User-agent: *\nDisallow: /private/"
        return (200, {"Content-Type": "text/plain"}, robots) if path == "/robots.txt" else (200, {}, b"<p>Here.")

    with small_server(respond) as server:
        at(server)
        done = run("Beyond", server, sqlite_settings)
    assert {url.removeprefix(server.base): became for url, became in done.outcomes.items()} == {
        "/": "failed:callback_error",
        "/private/": "denied:robots",
        "/fine": "failed:callback_error",
    }
    assert done.manifest.statistics.refused_requests == {"out_of_scope": 2}
    assert done.manifest.statistics.callback_errors == {"parse: SpiderError": 3, "parse_fine: SpiderError": 1}
    assert "/past-the-frontier" not in server.paths()
    said = capfd.readouterr().err
    assert "meta['lock'], which is a lock" in said
    assert "is a POST request with a body" in said
    assert "its 'lock' cannot be kept as JSON" in said
    assert "/past-the-frontier was asked for past the frontier. Yield the request" in said


def test_allowed_domains_hold(at: Callable[[SmallServer], None], sqlite_settings: Settings) -> None:
    with small_server(lambda path, times: (200, {}, b"")) as server:
        at(server)
        done = run("Domain", server, sqlite_settings)
    assert done.manifest.statistics.refused_requests == {"allowed_domains": 1}
    assert server.paths() == []


def test_pages_that_are_not_to_be_followed(at: Callable[[SmallServer], None], sqlite_settings: Settings) -> None:
    def respond(path: str, times: int) -> tuple[int, Headers, bytes]:
        return newsstand(path, times) if path != "/list/0" else (200, {"X-Robots-Tag": "nofollow"}, newsstand(path, times)[2])

    with small_server(respond) as server:
        at(server)
        done = run("Stories", server, sqlite_settings)
    assert done.manifest.statistics.refused_requests == {"nofollow": PER_PAGE + 1}
    assert done.manifest.counts.fetched == 1


def test_redirects_errors_and_files(at: Callable[[SmallServer], None], sqlite_settings: Settings) -> None:
    def respond(path: str, times: int) -> tuple[int, Headers, bytes]:
        answers: dict[str, tuple[int, Headers, bytes]] = {
            "/moved": (301, {"Location": "/here"}, b""),
            "/here": (200, {"Content-Encoding": "gzip"}, gzip.compress(b"<html><p>unpacked</p></html>")),
            "/teapot": (418, {}, b"short and stout"),
            "/data.json": (200, {"Content-Type": "application/json"}, b'{"a": [1]}'),
            "/broken": (200, {"Content-Length": "100"}, b"cut off"),
        }
        return answers.get(path) or ((200, {}, b"<p>told") if path.startswith("/told") else (404, {}, b""))

    with small_server(respond) as server:
        at(server)
        done = run("Turns", server, sqlite_settings, "budgets: {max_retries: 0}")
        told = {path for path in server.paths() if path.startswith("/told")}
    assert [one["item"] for one in items_of(done.manifest, sqlite_settings) if "moved" in one["item"]] == [
        {"moved": "/here", "word": "kept", "text": "unpacked"}
    ]
    items = [one["item"] for one in items_of(done.manifest, sqlite_settings)]
    assert {"status": 418} in items
    assert {"json": {"a": [1]}, "class": "JsonResponse"} in items
    assert told == {"/told?of=/missing&as=HttpError", "/told?of=/broken&as=HttpError"}
    assert done.manifest.statistics.callback_errors == {}


def test_a_spider_may_end_its_run(at: Callable[[SmallServer], None], sqlite_settings: Settings) -> None:
    with small_server(with_etag) as server:
        at(server)
        done = run("Enough", server, sqlite_settings)
    assert done.manifest.finish_reason == "spider:enough"
    assert done.manifest.counts.left_over > 0


def test_a_start_that_breaks_turns_the_run_red(at: Callable[[SmallServer], None], sqlite_settings: Settings) -> None:
    with small_server(with_etag) as server:
        at(server)
        with pytest.raises(SpiderError, match="start of BrokenStart broke: LookupError: no list today"):
            run("BrokenStart", server, sqlite_settings)


class Plain(scrapy.Spider):
    name = "plain"

    def parse(self, response: scrapy.http.Response) -> None: ...

    def other(self, response: scrapy.http.Response) -> None: ...


def test_a_request_and_back() -> None:
    spider = Plain()
    made = scrapy.Request(
        "http://x.test/",
        spider.other,
        errback=spider.parse,
        cb_kwargs={"a": [1, 2.5, None, {"b": True}]},
        meta={"k": "ü"},
        headers={"Accept-Language": ["de", "en"]},
    )
    back = request_from_text(request_text(made, spider), "http://x.test/", spider)
    assert (back.callback, back.errback) == (spider.other, spider.parse)
    assert (back.cb_kwargs, back.meta) == (made.cb_kwargs, made.meta)
    assert back.headers.getlist("Accept-Language") == [b"de", b"en"]
    assert request_text(scrapy.Request("http://x.test/"), spider) == "{}"
    with pytest.raises(SpiderError, match=r"is to come back to Plain\.gone, but there is no such method any more"):
        request_from_text('{"callback": "gone"}', "http://x.test/", spider)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"meta": {"when": (1, 2)}}, r"because of meta\['when'\], which is a tuple"),
        ({"cb_kwargs": {"a": {"b": [0, b"x"]}}}, r"because of cb_kwargs\['a'\]\['b'\]\[1\], which is a bytes"),
        ({"meta": {"n": float("nan")}}, r"because of meta\['n'\], which is a float"),
        ({"meta": {"n": {1: 2}}}, r"because of the key 1 of meta\['n'\], which is no text"),
        ({"method": "POST"}, "is a POST request: the frontier knows a page by its URL"),
        ({"cookies": {"a": "b"}}, "has cookies: they are not kept in the database. Name a secret"),
        ({"headers": {"Authorization": "Basic x"}}, "has a header Authorization: it is not kept in the database. Name a secret"),
        ({"headers": {"User-Agent": "x"}}, "has a header User-Agent, which a spider cannot set: politeness.user_agent"),
        ({"callback": lambda response: None}, "has the callback <lambda>, which is no method of Plain"),
        ({"errback": print}, "has the errback print, which is no method of Plain"),
    ],
)
def test_what_cannot_be_kept_is_named(given: dict[str, Any], message: str) -> None:
    with pytest.raises(SpiderError, match=message):
        request_text(scrapy.Request("http://x.test/", **given), Plain())


def own_file(settings: Settings, source: str, name: str = "my_own_module", spider: str = "Mine") -> str:
    settings.crawls.mkdir(exist_ok=True)
    (settings.crawls / f"{name}.py").write_text(source, encoding="utf-8")
    text = f"scope: {{hosts: [x.test]}}\nspider: {name}:{spider}\n"
    (settings.crawls / "test.yaml").write_text(text, encoding="utf-8")
    return text


@pytest.mark.parametrize(
    ("source", "name", "spider", "kind", "message"),
    [
        ("x = 1", "module_a", "Mine", NotFoundError, r"test\.yaml: line 2: spider: .*module_a\.py has no class 'Mine'. It has no spiders"),
        (
            "import scrapy\nclass Yours(scrapy.Spider): name = 'y'",
            "module_b",
            "Mine",
            NotFoundError,
            "no class 'Mine'. There are: Yours",
        ),
        ("class Mine: ...", "module_c", "Mine", ConfigError, "is no scrapy.Spider"),
        ("import scrapy\nclass Mine(scrapy.Spider): ...", "module_d", "Mine", ConfigError, "has no name. Give the class one"),
        ("1 / 0", "module_e", "Mine", SpiderError, "module_e cannot be imported: ZeroDivisionError"),
        ("import not_installed_at_all", "module_f", "Mine", SpiderError, "No module named 'not_installed_at_all'. Install what it needs"),
        ("x = 1", "demo", "Mine", ConfigError, r"crawls/demo\.py has the name of another module, .*demo/__init__\.py. Rename the file"),
    ],
)
def test_a_spider_that_cannot_be_had(
    source: str, name: str, spider: str, kind: type[CrawlhouseError], message: str, sqlite_settings: Settings
) -> None:
    from schemas.crawlfile import parse_crawl

    crawl = parse_crawl(own_file(sqlite_settings, source, name, spider), "test")
    with pytest.raises(kind, match=message):
        plan(crawl, "k", sqlite_settings)


def test_an_unknown_module_says_where_it_was_looked_for(sqlite_settings: Settings, tmp_path: Path) -> None:
    from schemas.crawlfile import parse_crawl

    text = own_file(sqlite_settings, "", "module_g").replace("module_g", "module_h")
    settings = sqlite_settings.model_copy(update={"spiders": str(tmp_path / "more")})
    with pytest.raises(NotFoundError, match=rf"no module 'module_h'. Looked in {settings.crawls}, {tmp_path}/more and the installed"):
        plan(parse_crawl(text, "test"), "k", settings)


def test_the_example_of_the_documentation(demo_site: DemoSite, sqlite_settings: Settings) -> None:
    from schemas.crawlfile import read_crawl

    port = demo_site.bases[0].rpartition(":")[2]
    sqlite_settings.crawls.mkdir()
    for name in ("courier.yaml", "courier_stories.py"):
        text = (EXAMPLES / name).read_text(encoding="utf-8").replace("8801", port)
        (sqlite_settings.crawls / name).write_text(text, encoding="utf-8")
    manifest = crawl_once(read_crawl(sqlite_settings.crawls / "courier.yaml"), sqlite_settings)
    truth = {one.url for one in demo_site.truth()}
    items = items_of(manifest, sqlite_settings)
    assert len(items) > 20
    assert {one["url"] for one in items} <= truth
    assert all(one["item"]["words"] > 50 and one["item"]["authors"] for one in items)
    assert manifest.reasons == {}


SECRET = '{"headers": {"X-Api-Key": "key-7f31a9"}, "cookies": {"session": "cookie-c0ffee", "theme": "dark"}}'


def test_secrets_go_to_their_origin_and_nowhere_else(
    sqlite_settings: Settings, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("CRAWLHOUSE_SECRET_MEMBERS", SECRET)
    with small_server(lambda path, times: (404, {}, b"") if "." in path else (200, {}, b"<p>Open.")) as other:

        def respond(path: str, times: int) -> tuple[int, Headers, bytes]:
            if path == "/away":
                return 302, {"Location": f"{other.base}/landed"}, b""
            return (404, {}, b"") if "." in path else (200, {"Set-Cookie": "session=renewed-5eed"}, b"<p>Members.")

        with small_server(respond) as members:
            extra = f"credentials: [{{origin: '{members.base}', secret: members}}]"
            done = crawl_urls(sqlite_settings, [f"{members.base}/", f"{members.base}/away", f"{other.base}/"], extra)
    sent = {one.path: one.headers for one in members.asked}
    assert sent["/"]["X-Api-Key"] == "key-7f31a9"
    assert sent["/"]["Cookie"] == "session=cookie-c0ffee; theme=dark"
    assert "X-Api-Key" not in sent["/robots.txt"]
    assert "/landed" in other.paths()
    assert not [one for one in other.asked if "X-Api-Key" in one.headers or "Cookie" in one.headers]
    everything = archive(sqlite_settings) + b"".join(path.read_bytes() for path in sqlite_settings.home.rglob("*") if path.is_file())
    everything += "".join(capfd.readouterr()).encode() + done.manifest.model_dump_json().encode()
    assert b"Members." in everything
    for secret in (b"key-7f31a9", b"cookie-c0ffee", b"renewed-5eed"):
        assert secret not in everything


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (None, "The secret 'members' is missing. Set CRAWLHOUSE_SECRET_MEMBERS"),
        ("key-7f31a9", "CRAWLHOUSE_SECRET_MEMBERS is not .* look at the text"),
        ('{"headers": {"X": 5}}', r"look at headers\.X"),
        ('{"headers": {"Cookie": "a"}}', "'Cookie' is no header that can be sent"),
        ('{"headers": {"X": "a\\nb"}}', "'X' is no header that can be sent"),
        ('{"cookies": {"a": "b;c"}}', "the cookie 'a' has characters"),
    ],
)
def test_a_secret_that_is_none(value: str | None, message: str, sqlite_settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    if value is not None:
        monkeypatch.setenv("CRAWLHOUSE_SECRET_MEMBERS", value)
    with pytest.raises(ConfigError, match=message) as caught:
        crawl_urls(sqlite_settings, ["http://127.0.0.1:9/"], "credentials: [{origin: 'http://127.0.0.1:9', secret: members}]")
    assert "key-7f31a9" not in str(caught.value)


def test_two_workers_share_an_own_spiders_run(stand: SmallServer, settings: Settings) -> None:
    done = run("Stories", stand, settings, "workers: 2")
    assert done.manifest.counts.fetched == 33
    assert sorted(one["item"]["number"] for one in items_of(done.manifest, settings)) == list(range(STORIES))


def test_fetching_on_a_closed_run_does_nothing(stand: SmallServer, sqlite_settings: Settings) -> None:
    from schemas.crawlfile import parse_crawl

    text = (
        f"spider: tests.spiders.ownspiders:Stories\n{own_scope(stand.base)}\nnetwork: {{allow: [127.0.0.1/32]}}\npoliteness: {{delay: 0}}"
    )
    planned = plan(parse_crawl(text, "test"), "k", sqlite_settings)
    fetch(planned.crawl_run, "w", sqlite_settings)
    manifest = close(planned.crawl_run, sqlite_settings)
    assert close(planned.crawl_run, sqlite_settings) == manifest
    assert fetch(planned.crawl_run, "w", sqlite_settings).finish_reason == "closed"
    assert len(items_of(manifest, sqlite_settings)) == STORIES
