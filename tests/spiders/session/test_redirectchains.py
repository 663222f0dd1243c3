"""Chains of redirects: with cookies, in circles, and out of the crawl."""

from datetime import UTC, datetime

import pytest

from schemas.capture import Capture
from schemas.config.settings import Settings
from spiders.session.redirect_chain import NO_CHAIN
from tests.spiders.crawling import crawl_urls
from tests.spiders.smallserver import Headers, small_server

PAGE = b"<!doctype html><title>A page</title><p>A page."
TARGETS = {"/circle": "/turn", "/turn": "/circle", "/own": "/own#part", "/out": "https://b.example/", "/long": "/long?utm_source=1"}
TARGETS |= {"/into": "/in", "/in": "/within", "/within": "/in", "/to-out": "/out", "/to-nowhere": "/nowhere"}
REFRESHES = {"/there": "/back", "/back": "/there", "/away": "https://b.example/"}
TARGETS |= {f"/wall-{number}": "/gate" for number in range(5)} | {"/gate": "https://consent.example/", "/left": "/right", "/right": "/left"}
TARGETS |= {"/behind": "/own", "/joins": "/circle"}
TARGETS |= {f"/{number}-way": f"/{number + 1}-way" for number in range(1, 20)}


def respond(path: str, times: int) -> tuple[int, Headers, bytes]:
    """`/again` sets another cookie each time, and never has enough."""
    if path in TARGETS:
        return 302, {"Location": TARGETS[path]}, b""
    if path in REFRESHES:
        return 200, {}, b"<meta http-equiv=refresh content='0; url=%s'>" % REFRESHES[path].encode()
    if path == "/accepted":
        return 202, {}, b"<meta http-equiv=refresh content='0; url=/out'>"
    if path == "/choices":
        return 300, {"Location": "/plain"}, b""
    if path == "/again":
        return 302, {"Location": path, "Set-Cookie": f"n={times}"}, b""
    if path == "/nowhere":
        return 302, {}, b""
    return (200, {}, PAGE) if path in {"/plain", "/long?utm_source=1"} else (404, {}, b"")


def respond_to_cookie(path: str, cookie: str) -> tuple[int, Headers, bytes] | None:
    """`/same`, `/way` and `/wall` are pages for those who bring a cookie; `/set` sets the cookie for `/way`."""
    wall = {"/same": ("/same", "seen=1; Path=/"), "/way": ("/set?back", ""), "/set?back": ("/way", "seen=1; Path=/")}
    if path in {"/wall", "/reload"}:
        step = b"<meta http-equiv=refresh content='0; url=/wall'>" if path == "/wall" else b"<meta http-equiv=refresh content=0>"
        return (200, {}, PAGE) if "seen=1" in cookie else (200, {"Set-Cookie": "seen=1"}, step)
    if path not in wall:
        return None
    target, sets = wall[path]
    return (200, {}, PAGE) if "seen=1" in cookie else (302, {"Location": target, **({"Set-Cookie": sets} if sets else {})}, b"")


def test_chains_end_at_a_page_or_say_that_they_do_not(sqlite_settings: Settings) -> None:
    names = [
        "same",
        "way",
        "plain",
        "circle",
        "own",
        "to-out",
        "again",
        "to-nowhere",
        "long",
        "into",
        "1-way",
        "there",
        "away",
        "wall",
        "reload",
        "accepted",
    ]
    with small_server(respond, respond_to_cookie=respond_to_cookie) as server:
        crawled = crawl_urls(sqlite_settings, [f"{server.base}/{name}" for name in names])
        outcomes = {url.removeprefix(server.base): outcome for url, outcome in crawled.outcomes.items()}
        for path in ("/same", "/set?back", "/plain", "/long", "/long?utm_source=1"):
            assert outcomes[path] == "fetched", path
        for path in ("/circle", "/turn", "/own", "/again", "/into", "/in", "/within"):
            assert outcomes[path] == "failed:redirect_loop", path
        assert outcomes["/out"] == outcomes["/to-out"] == outcomes["/accepted"] == "filtered:out_of_scope"
        assert outcomes["/there"] == outcomes["/back"] == "failed:redirect_loop"
        assert outcomes["/away"] == "filtered:out_of_scope"
        assert outcomes["/wall"] == outcomes["/reload"] == "fetched"
        assert outcomes["/to-nowhere"] == "failed:malformed_response"
        assert outcomes["/1-way"] == outcomes["/9-way"] == "filtered:too_many_redirects"
        assert outcomes["/nowhere"] == "failed:malformed_response"
        pages = {row.url.removeprefix(server.base) for row in crawled.rows if row.fetch_status == 200 and row.kind == "page"}
        assert pages == {"/same", "/way", "/plain", "/long?utm_source=1", "/there", "/back", "/away", "/wall", "/reload"}
        assert server.paths().count("/wall") == 2
        assert not [one for one in server.asked if one.path == "/plain" and "Cookie" in one.headers]
        assert server.paths().count("/again") <= 10


def test_all_that_leads_to_one_dead_end_leads_nowhere(sqlite_settings: Settings) -> None:
    """Seeds that lead to each other, and many pages behind one wall: some were requested before it was known where they lead."""
    names = ["left", "right", "choices", "wall-0", "wall-1", "wall-2", "gate", "wall-3", "wall-4", "own", "behind", "circle", "joins"]
    with small_server(respond) as server:
        crawled = crawl_urls(sqlite_settings, [f"{server.base}/{name}" for name in names], politeness="delay: 0, concurrency_per_host: 3")
        outcomes = {url.removeprefix(server.base): outcome for url, outcome in crawled.outcomes.items()}
    for path in ("/left", "/right", "/own", "/behind", "/circle", "/turn", "/joins"):
        assert outcomes[path] == "failed:redirect_loop", path
    assert {outcomes[path] for path in ("/gate", *(f"/wall-{number}" for number in range(5)))} == {"filtered:out_of_scope"}
    assert outcomes["/choices"] == "fetched"
    assert "/plain" in outcomes


def test_a_chain_comes_back_with_the_cookies_of_its_first_answer_over_another_host(sqlite_settings: Settings) -> None:
    """A site sets a cookie, has another host look at the reader, and is asked again with the cookie."""

    def answer(path: str, cookie: str) -> tuple[int, Headers, bytes] | None:
        wall = 302, {"Location": other.base.replace("127.0.0.1", "localhost") + "/look", "Set-Cookie": "seen=1"}, b""
        return {"/page": (200, {}, PAGE) if "seen=1" in cookie else wall}.get(path)

    with (
        small_server(lambda path, _: (302, {"Location": site.base + "/page"}, b"") if path == "/look" else (404, {}, b"")) as other,
        small_server(lambda *_: (404, {}, b""), respond_to_cookie=answer) as site,
    ):
        hosts = f"scope: {{hosts: [{site.base[7:]}, '{other.base[7:].replace('127.0.0.1', 'localhost')}']}}"
        crawled = crawl_urls(sqlite_settings, [site.base + "/page"], hosts, network="network: {allow: [127.0.0.0/8, '::1/128']}")
        assert set(crawled.outcomes.values()) == {"fetched"}
        assert [(row.fetch_status, row.url) for row in crawled.rows if row.kind == "page" and row.fetch_status == 200] == [
            (200, site.base + "/page")
        ]


def response(*cookies: bytes, url: str = "https://a.example/1") -> Capture:
    headers = tuple((b"Set-Cookie", cookie) for cookie in cookies)
    return Capture(url, datetime.now(UTC), 302, "", "HTTP/1.1", (), headers, b"")


@pytest.mark.parametrize(
    ("cookies", "header"),
    [
        ([b"a=1; Path=/; HttpOnly", b"b=2"], "a=1; b=2"),
        ([b"a=1", b"a=2"], "a=2"),
        ([b"a=1", b"a=x; Max-Age=0"], ""),
        ([b"a=1", b"a=x; expires=Thu, 01 Jan 1970 00:00:00 GMT"], ""),
        ([b"a=1", b"a=x; expires=Mon, 01-Jan-2001 00:00:00 GMT"], ""),
        ([b"a=1; expires=Sat, 01 Jan 2050 00:00:00 GMT", b"b=1; expires=never"], "a=1; b=1"),
        ([b"=1", b"a\r\nb=1", b"a=" + b"x" * 5_000], ""),
        ([b"k[a]=\xc3\xbc", b'j={"a":1,"b":2}', b'q="a b"', b" s = a b ; Path=/"], 'k[a]=ü; j={"a":1,"b":2}; q="a b"; s=a b'),
        ([b"a=1; Secure", b"b=1; Path=/elsewhere", b"c=1; Domain=b.example", b"d=1; Domain=.example"], "a=1"),
        ([b"c%d=1" % number for number in range(99)], "; ".join(f"c{number}=1" for number in range(50))),
    ],
)
def test_cookies_of_a_chain(cookies: list[bytes], header: str) -> None:
    sent = NO_CHAIN.after(response(*cookies)).header("https://a.example/2")
    assert sorted(sent.split("; ")) == sorted(header.split("; "))


def test_cookies_go_to_the_hosts_that_they_are_set_for() -> None:
    chain = NO_CHAIN.after(response(b"own=1", b"site=1; Domain=a.example", b"safe=1; Secure"))
    chain = chain.after(response(url="https://b.example/between"))
    assert chain.urls == ("https://a.example/1", "https://b.example/between")
    assert chain.header("https://b.example/2") == ""
    assert chain.header("https://nota.example/2") == ""
    assert set(chain.header("https://a.example:8443/2").split("; ")) == {"own=1", "site=1", "safe=1"}
    assert chain.header("https://www.a.example/2") == "site=1"
    assert set(chain.header("http://a.example/2").split("; ")) == {"own=1", "site=1"}


@pytest.mark.parametrize(
    ("host", "domain", "other"),
    [
        ("a.co.uk", "co.uk", "b.co.uk"),
        ("a.or.jp", "or.jp", "b.or.jp"),
        ("a.github.io", ".github.io", "b.github.io"),
        ("a.example", "example", "b.example"),
        ("127.0.0.1", "0.0.1", "10.0.0.1"),
    ],
)
def test_no_cookie_is_for_hosts_of_several_owners(host: str, domain: str, other: str) -> None:
    chain = NO_CHAIN.after(response(b"own=1", f"all=1; Domain={domain}".encode(), url=f"https://{host}/1"))
    assert chain.header(f"https://{other}/2") == ""
    assert chain.header(f"https://{host}/2") == "own=1"


def test_robots_txt_behind_a_cookie_and_a_sitemap_of_another_type(sqlite_settings: Settings) -> None:
    def answer(path: str, cookie: str) -> tuple[int, Headers, bytes] | None:
        rules = f"User-agent: *\nDisallow: /private\nSitemap: {server.base}/map\n".encode()
        gate = 302, {"Location": "/robots.txt?utm_source=gate", "Set-Cookie": "seen=1"}, b""
        return {
            "/robots.txt": gate,
            "/robots.txt?utm_source=gate": (200, {}, rules) if "seen=1" in cookie else gate,
            "/map": (200, {"Content-Type": "application/pdf"}, f"<urlset><url><loc>{server.base}/plain</loc></url></urlset>".encode()),
        }.get(path)

    with small_server(respond, respond_to_cookie=answer) as server:
        crawled = crawl_urls(sqlite_settings, [server.base + "/private", server.base + "/long"])
    outcomes = {url.removeprefix(server.base): outcome for url, outcome in crawled.outcomes.items()}
    assert outcomes["/private"] == "denied:robots"
    assert outcomes["/map"] == outcomes["/plain"] == "fetched"
