"""Limits and addresses, end to end: nothing that a site does harms the crawler, and the crawler goes nowhere it must not."""

from __future__ import annotations

import asyncio
import base64
import socket
from collections.abc import Iterator
from ipaddress import IPv4Network
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp.abc import AbstractResolver, ResolveResult

from schemas.config.settings import Settings
from spiders.download.address_guard import REFUSED, guarded_socket_factory
from storage.objects.open import open_store
from storage.warc.reader import read_records
from tests.demosite import DemoSite, run_demo_site
from tests.spiders.certificates import self_signed
from tests.spiders.crawling import Crawled, crawl_urls
from tests.spiders.smallserver import Headers, small_server

pytestmark = pytest.mark.xdist_group("demo")

LIMITS = "scope: {sitemaps: false, follow_links: false}\nbudgets: {max_retries: 0, max_body_bytes: 2000000}"
QUICK = "delay: 0, timeout: 3, concurrency_per_host: 8"
PAGE = b"<!DOCTYPE html><title>t</title><p>text"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DemoSite]:
    home: Path = tmp_path_factory.mktemp("demo")
    with run_demo_site(home / "demo", "--odd") as running:
        yield running


def test_every_limit_holds(site: DemoSite, sqlite_settings: Settings) -> None:
    expected = {
        "huge-header": "failed:malformed_response",
        "endless-headers": "failed:malformed_response",
        "bad-status": "failed:malformed_response",
        "slow-headers": "failed:timeout",
        "drip": "failed:timeout",
        "cut-body": "failed:malformed_response",
        "cut-chunk": "failed:malformed_response",
        "pdf": "filtered:unsupported_type",
        "image": "filtered:unsupported_type",
        "bomb": "fetched",
        "not-gzip": "fetched",
        "unknown-coding": "fetched",
        "huge-sitemap.xml": "fetched",
        "deep": "fetched",
        "empty": "fetched",
        "204": "fetched",
        "to-file": "failed:malformed_response",
        "to-javascript": "failed:malformed_response",
        "no-location": "failed:malformed_response",
    }
    seeds = [f"{site.bases[0]}/odd/{name}" for name in expected]
    crawled = crawl_urls(sqlite_settings, seeds, LIMITS, politeness=QUICK)
    assert {url.partition("/odd/")[2]: what for url, what in crawled.outcomes.items()} == expected
    bomb = next(row for row in crawled.rows if row.url.endswith("/odd/bomb"))
    assert bomb.warc_record_length < 1_000_000
    assert crawled.manifest.counts.failed == sum(what.startswith("failed") for what in expected.values())


ODD_HEADERS: dict[str, Headers] = {
    "/charset-undefined": {"Content-Type": "text/html; charset=undefined"},
    "/charset-idna": {"Content-Type": "text/html; charset=idna"},
    "/retry-after-superscript": {"Retry-After": "\xb2"},
    "/retry-after-year": {"Retry-After": "Fri, 31 Dec 99999999999 23:59:59 GMT"},
    "/last-modified": {"Last-Modified": "\xff\xfe"},
    "/unavailable": {"X-Robots-Tag": "unavailable_after: Fri, 31 Dec 99999999999 23:59:59 GMT"},
    "/location": {"Location": "http://[::1"},
}


def test_no_header_holds_up_a_crawl(sqlite_settings: Settings) -> None:
    def respond(path: str, times: int) -> tuple[int, Headers, bytes]:
        return (200 if path in ODD_HEADERS else 404), ODD_HEADERS.get(path, {}), PAGE

    with small_server(respond) as server:
        crawled = crawl_urls(sqlite_settings, [server.base + path for path in ODD_HEADERS], LIMITS, politeness=QUICK)
    assert set(crawled.outcomes.values()) == {"fetched"}


def test_a_body_is_cut_at_its_limit(sqlite_settings: Settings) -> None:
    with small_server(lambda path, times: (200, {}, PAGE + b"x" * 5_000_000)) as server:
        crawled = crawl_urls(sqlite_settings, [server.base + "/big"], LIMITS)
    assert crawled.outcomes == {server.base + "/big": "fetched:truncated"}
    (row,) = (row for row in crawled.rows if row.kind == "page")
    assert row.content_truncated == "length"
    assert row.content_length == 2_000_000


def test_redirects_come_to_an_end(site: DemoSite, sqlite_settings: Settings) -> None:
    def respond(path: str, times: int) -> tuple[int, Headers, bytes]:
        number = int(path[1:]) if path[1:].isdigit() else 0
        return (302, {"Location": f"/{number + 1}"}, b"") if number else (404, {}, b"")

    with small_server(respond) as server:
        crawled = crawl_urls(sqlite_settings, [server.base + "/1"], "scope: {sitemaps: false}")
        assert [path for path in server.paths() if path[1:].isdigit()] == [f"/{number}" for number in range(1, 10)]
    assert crawled.manifest.reasons == {"filtered:too_many_redirects": 9}, "each URL of the chain, which led nowhere"
    assert crawled.manifest.counts.fetched == 0


PRIVATE = (
    "http://10.0.0.1/",
    "http://169.254.169.254/x",
    "http://[::1]/",
    "http://2130706433/",
    "http://[::ffff:10.0.0.1]/",
    "http://0x7f.1/",
)


def test_odd_spellings_of_private_addresses_are_refused(sqlite_settings: Settings) -> None:
    crawled = crawl_urls(sqlite_settings, [*PRIVATE, "http://localhost/"], network="")
    assert crawled.manifest.counts.denied == len(PRIVATE) + 1
    assert set(crawled.outcomes.values()) == {"denied:private_address"}
    assert crawled.rows == []


@pytest.mark.parametrize("file", ["page", "robots.txt", "sitemap.xml", ".well-known/tdmrep.json"])
def test_redirects_into_other_networks_are_refused(file: str, sqlite_settings: Settings) -> None:
    """A page, a robots.txt, a sitemap and a tdmrep.json on an allowed address that lead to one that is not."""
    with small_server(lambda path, times: (200, {}, PAGE), host="127.0.0.2") as secret:

        def respond(path: str, times: int) -> tuple[int, Headers, bytes]:
            if path == f"/{file}":
                return 302, {"Location": secret.base + "/secret"}, b""
            return (200, {}, PAGE) if path == "/start" else (404, {}, b"")

        with small_server(respond) as server:
            seeds = [server.base + "/start", f"{server.base}/{file}"]
            hosts = [base.partition("//")[2] for base in (server.base, secret.base)]
            crawl_urls(sqlite_settings, seeds, f"scope: {{hosts: {hosts}}}")
            assert f"/{file}" in server.paths()
        assert secret.asked == []


class Alternating(AbstractResolver):
    """Answers with the next of its addresses each time."""

    def __init__(self, *answers: list[str]) -> None:
        self.answers = list(answers)

    async def resolve(self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET) -> list[ResolveResult]:
        found = self.answers.pop(0)
        return [ResolveResult(hostname=host, host=one, port=port, family=socket.AF_INET, proto=0, flags=0) for one in found]

    async def close(self) -> None:
        pass


def test_dns_answers_that_change_do_not_get_through() -> None:
    async def ask(base: str) -> list[str]:
        resolver = Alternating(["127.0.0.2"], ["127.0.0.1"], ["127.0.0.1", "127.0.0.2"], ["127.0.0.1"])
        guard = guarded_socket_factory([IPv4Network("127.0.0.2/32")])
        connector = aiohttp.TCPConnector(resolver=resolver, use_dns_cache=False, socket_factory=guard, force_close=True)
        results = []
        async with aiohttp.ClientSession(connector=connector) as session:
            for _ in range(4):
                try:
                    async with session.get(base.replace("127.0.0.2", "rebind.example")) as answer:
                        results.append(str(answer.status))
                except aiohttp.ClientConnectorError as error:
                    results.append("refused" if REFUSED in str(error) else repr(error))
        return results

    with small_server(lambda path, times: (200, {}, PAGE), host="127.0.0.2") as server:
        port = int(server.base.rpartition(":")[2])
        with socket.create_server(("127.0.0.1", port)):
            assert asyncio.run(ask(server.base + "/")) == ["200", "refused", "200", "refused"]


@pytest.mark.parametrize(("verified", "what"), [(True, "failed:tls"), (False, "fetched")])
def test_certificates_are_verified(verified: bool, what: str, sqlite_settings: Settings, tmp_path: Path) -> None:
    network = f"network: {{allow: [127.0.0.1/32], verify_tls: {str(verified).lower()}}}"
    with small_server(lambda path, times: (404 if "." in path else 200, {}, PAGE), certificate=self_signed(tmp_path)) as server:
        crawled = crawl_urls(sqlite_settings, [server.base + "/page"], LIMITS, network=network, politeness="delay: 0, robots: ignore")
        assert crawled.outcomes == {server.base + "/page": what}
        assert bool(server.asked) is not verified


def test_credentials_stay_where_they_belong(sqlite_settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """Those in a URL of a file are not sent at all; the proxy's go to the proxy, and none are archived."""
    open_store(sqlite_settings).put_bytes("urls.txt", b"http://user:secret@site.example/page\n")
    with small_server(lambda path, times: (404 if path.count(".") > 2 else 200, {}, PAGE)) as proxy:
        monkeypatch.setenv("CRAWLHOUSE_SECRET_GATEWAY", '{"user": "spy", "password": "hunter2"}')
        network = f"network: {{allow: [127.0.0.1/32], proxy: '{proxy.base}', proxy_secret: gateway}}"
        crawled = crawl_urls(sqlite_settings, [], f"seeds_file: {{key: urls.txt}}\n{LIMITS}", network=network)
        assert crawled.outcomes == {"http://site.example/page": "fetched"}
        wanted = "Basic " + base64.b64encode(b"spy:hunter2").decode()
        assert {one.headers.get("Proxy-Authorization") for one in proxy.asked} == {wanted}
        assert not any("Authorization" in one.headers for one in proxy.asked)
    archive = _whole_archive(crawled, sqlite_settings)
    assert b"site.example" in archive
    assert not any(word in archive for word in (b"hunter2", b"secret", wanted.encode(), b"uthorization"))


def _whole_archive(crawled: Crawled, settings: Settings) -> bytes:
    import gzip

    store = open_store(settings)
    keys = [segment.warc_key for segment in crawled.manifest.segments]
    for key in keys:
        with store.open(key) as stream:
            records: list[Any] = list(read_records(stream, key))
            assert all(record.capture.ip_address is None for record in records)
    return b"".join(gzip.decompress(store.get_bytes(key)) for key in keys)
