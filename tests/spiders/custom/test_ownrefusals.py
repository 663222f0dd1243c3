"""What a user's spider may not have, and which requests cannot be kept."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import scrapy

from schemas.config.settings import Settings
from schemas.errors import SpiderError
from spiders.custom.request_text import request_from_text, request_text
from tests.spiders.owncrawls import PER_PAGE, Plain, newsstand, run
from tests.spiders.smallserver import Headers, SmallServer, small_server


def test_what_it_may_not_have(at: Callable[[SmallServer], None], sqlite_settings: Settings, capfd: pytest.CaptureFixture[str]) -> None:
    def respond(path: str, times: int) -> tuple[int, Headers, bytes]:
        robots = b"User-agent: *\nDisallow: /private/"
        return (200, {"Content-Type": "image/png"}, robots) if path == "/robots.txt" else (200, {}, b"<p>Here.")

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
    assert "is a PUT request: a crawl only reads" in said
    assert "its 'lock' cannot be stored as JSON" in said
    assert "/past-the-frontier was requested without the frontier. Yield the request" in said


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
    with pytest.raises(SpiderError, match=r"The callback of http://x.test/ is Plain\.gone, but there is no such method any more"):
        request_from_text('{"callback": "gone"}', "http://x.test/", spider)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"meta": {"when": (1, 2)}}, r"because of meta\['when'\], which is a tuple"),
        ({"cb_kwargs": {"a": {"b": [0, b"x"]}}}, r"because of cb_kwargs\['a'\]\['b'\]\[1\], which is a bytes"),
        ({"meta": {"n": float("nan")}}, r"because of meta\['n'\], which is a float"),
        ({"meta": {"n": {1: 2}}}, r"because of the key 1 of meta\['n'\], which is not text"),
        ({"cookies": {"a": "b"}}, "has cookies: they are not stored in the database. Name a secret"),
        ({"headers": {"Authorization": "Basic x"}}, "has a header Authorization: it is not stored in the database. Name a secret"),
        ({"headers": {"User-Agent": "x"}}, "has a header User-Agent, which a spider cannot set: politeness.user_agent"),
        ({"callback": lambda response: None}, "has the callback <lambda>, which is not a method of Plain"),
        ({"errback": print}, "has the errback print, which is not a method of Plain"),
    ],
)
def test_what_cannot_be_kept_is_named(given: dict[str, Any], message: str) -> None:
    with pytest.raises(SpiderError, match=message):
        request_text(scrapy.Request("http://x.test/", **given), Plain())
