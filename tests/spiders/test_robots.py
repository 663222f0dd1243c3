"""What an answer to robots.txt means."""

import gzip
import time

import pytest

from schemas.outcomes import Reason
from spiders.robots import MAX_ROBOTS_BYTES, RobotsRules, robots_from_answer

FILE = b"User-agent: *\nDisallow: /private\nCrawl-delay: 7\nSitemap: https://a.example/s.xml\n\nUser-agent: crawlhouse\nDisallow: /not-us\n"


def rules(status: int | None, body: bytes = b"", product: str = "other") -> RobotsRules:
    cached = robots_from_answer("https://a.example", status, body, None)
    return RobotsRules(cached.status, cached.body, product)


def test_rules_of_our_own_group_and_of_everyones() -> None:
    assert rules(200, FILE).refusal("https://a.example/private/x") is Reason.ROBOTS
    assert rules(200, FILE).crawl_delay() == 7
    assert rules(200, FILE).sitemaps() == ("https://a.example/s.xml",)
    ours = rules(200, FILE, "crawlhouse")
    assert ours.refusal("https://a.example/private/x") is None
    assert ours.refusal("https://a.example/not-us") is Reason.ROBOTS


@pytest.mark.parametrize("status", [401, 403, 404, 410, 301])
def test_no_file_means_everything(status: int) -> None:
    assert rules(status, b"User-agent: *\nDisallow: /").refusal("https://a.example/x") is None


@pytest.mark.parametrize("status", [None, 500, 503, 429])
def test_no_answer_means_nothing_for_a_short_while(status: int | None) -> None:
    cached = robots_from_answer("https://a.example", status, b"<html>", None)
    assert rules(status, b"<html>").refusal("https://a.example/x") is Reason.ROBOTS_UNREACHABLE
    assert cached.expires_at - time.time() < 3600


def test_a_file_holds_a_day_and_is_cut_at_500_kib() -> None:
    body = gzip.compress(b"User-agent: *\n" + b"Disallow: /a\n" * 100_000)
    cached = robots_from_answer("https://a.example", 200, body, "gzip")
    assert len(cached.body) == MAX_ROBOTS_BYTES
    assert 23 * 3600 < cached.expires_at - time.time() <= 24 * 3600


@pytest.mark.parametrize("body", [b"\xff\xfe\x00garbage", b"<!doctype html><html><body>Disallow: /</body></html>", b""])
def test_garbage_is_no_rule(body: bytes) -> None:
    assert rules(200, body).refusal("https://a.example/x") is None
