"""What an answer to robots.txt means."""

import gzip
import time

import pytest

from schemas.outcomes import Reason
from spiders.permission.robots import MAX_ROBOTS_BYTES, RobotsRules, robots_from_response

FILE = b"User-agent: *\nDisallow: /private\nCrawl-delay: 7\nSitemap: https://a.example/s.xml\n\nUser-agent: crawlhouse\nDisallow: /not-us\n"


def rules(status: int | None, body: bytes = b"", product: str = "other") -> RobotsRules:
    cached = robots_from_response("https://a.example", status, body, None)
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
    cached = robots_from_response("https://a.example", status, b"<html>", None)
    assert rules(status, b"<html>").refusal("https://a.example/x") is Reason.ROBOTS_UNREACHABLE
    assert cached.expires_at - time.time() < 3600


def test_a_file_holds_a_day_and_is_cut_at_500_kib() -> None:
    body = gzip.compress(b"User-agent: *\n" + b"Disallow: /a\n" * 100_000)
    cached = robots_from_response("https://a.example", 200, body, "gzip")
    assert MAX_ROBOTS_BYTES - 13 <= len(cached.body) <= MAX_ROBOTS_BYTES
    assert 23 * 3600 < cached.expires_at - time.time() <= 24 * 3600


@pytest.mark.parametrize("over", [0, 1])
def test_a_line_that_is_cut_says_nothing(over: int) -> None:
    """`Disallow: /` is what is left of the last line, or `Disallow: /x` when the file just fits."""
    head, last = b"User-agent: *\nAllow: /y\n", b"Disallow: /x"
    body = head + b"#" * (MAX_ROBOTS_BYTES - len(head + last) - 1 + over) + b"\n" + last
    assert len(body) == MAX_ROBOTS_BYTES + over
    assert rules(200, body).refusal("https://a.example/z") is None
    assert rules(200, body).refusal("https://a.example/x") is (None if over else Reason.ROBOTS)


@pytest.mark.parametrize("text", ["\ufeff{}", "{}"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_a_byte_order_mark_and_any_line_ends_are_no_matter(text: str, end: str) -> None:
    lines = ("User-agent: *", "Disallow: /x", "Crawl-delay: 0.5")
    found = rules(200, text.format(end.join(lines)).encode())
    assert found.refusal("https://a.example/x") is Reason.ROBOTS
    assert found.crawl_delay() == 0.5


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be"])
def test_a_file_in_utf_16_is_read(encoding: str) -> None:
    text = "User-agent: *\nDisallow: /x\nContent-Usage: train-ai=n"
    found = rules(200, ("" if encoding == "utf-16" else "\ufeff").encode(encoding) + text.encode(encoding))
    assert found.refusal("https://a.example/x") is Reason.ROBOTS
    assert found.preferences("https://a.example/y").usage == "train-ai=n"


@pytest.mark.parametrize("text", ["\ufeff\ufeff{}", "\u200b{}", "# caf\u00e9\n{}", "User-agent: *\x00\nDisallow: /x\x00\n"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-32", "utf-16-le"])
def test_characters_that_nobody_sees_hide_no_rule(text: str, encoding: str) -> None:
    body = text.format("User-agent: *\nDisallow: /x\n").encode(encoding)
    assert rules(200, body).refusal("https://a.example/x") is Reason.ROBOTS


def test_a_path_in_another_charset_than_utf_8() -> None:
    body = "User-agent: *\nDisallow: /caf\u00e9".encode("latin-1")
    assert rules(200, body).refusal("https://a.example/caf%C3%A9") is Reason.ROBOTS


@pytest.mark.parametrize(
    ("asked", "seconds"),
    [("0,5", 0.5), ("10s", 10), ("7 seconds", 7), ("500 ms", 0.5), ("2 minutes", 120), (".25", 0.25), ("1e3", 300), ('"10"', 10)],
)
def test_delays_as_people_write_them(asked: str, seconds: float) -> None:
    assert rules(200, f"User-agent: *\nCrawl-Delay : {asked}".encode()).crawl_delay() == seconds


def test_sitemaps_are_named_in_many_ways() -> None:
    lines = ["Sitemap: 'https://a.example/1.xml'", "sitemap: <https://a.example/2.xml> https://a.example/3.xml", "Sitemap: /4.xml # all"]
    assert rules(200, "\n".join(lines).encode()).sitemaps() == (*(f"https://a.example/{number}.xml" for number in (1, 2, 3)), "/4.xml")


@pytest.mark.parametrize("asked", ["nan", "-3", "soon", "inf"])
def test_a_delay_that_is_no_number_is_none(asked: str) -> None:
    assert rules(200, f"User-agent: *\nCrawl-delay: {asked}\n".encode()).crawl_delay() == 0


@pytest.mark.parametrize(
    ("path", "refused"),
    [("/a.pdf", True), ("/a.pdf?x", False), ("/b/1/c", True), ("/b/1/c/open", False), ("/caf%C3%A9", True), ("/~joe", True), ("/", False)],
)
def test_patterns(path: str, refused: bool) -> None:
    body = "User-agent: *\nDisallow: /*.pdf$\nDisallow: /b/*/c\nAllow: /b/*/c/open\nDisallow: /café\nDisallow: /%7Ejoe\n"
    assert rules(200, body.encode()).refusal("https://a.example" + path) is (Reason.ROBOTS if refused else None)


def test_groups_of_the_same_name_are_one_and_a_longer_name_is_anothers() -> None:
    body = b"User-agent: ours\nDisallow: /a\n\nUser-agent: ours-news\nDisallow: /\n\nUser-agent: x\nUser-agent: OURS\nDisallow: /c\n"
    refused = [path for path in ("a", "b", "c") if rules(200, body, "ours").refusal(f"https://a.example/{path}")]
    assert refused == ["a", "c"]


@pytest.mark.parametrize("body", [b"\xff\xfe\x00garbage", b"<!doctype html><html><body>Disallow: /</body></html>", b""])
def test_garbage_is_no_rule(body: bytes) -> None:
    assert rules(200, body).refusal("https://a.example/x") is None


@pytest.mark.parametrize(
    ("line", "names_us"),
    [
        ("ours", True),
        ("OURS/1.0", True),
        ("ours bot", True),
        ("ours/2.1 (+https://a.example/bot)", True),
        ("ours*", True),
        ("Googlebot, ours", True),
        ("Mozilla/5.0 (compatible; Ours/1.0; +https://a.example)", True),
        ("ours # that is us", True),
        ("our", False),
        ("our*", False),
        ("ours-news", False),
        ("news-ours", False),
        ("ours.example", False),
        ("other # not ours", False),
        ("other/ours", False),
    ],
)
def test_a_user_agent_line_names_a_crawler_by_a_whole_word(line: str, names_us: bool) -> None:
    refused = rules(200, f"User-agent: {line}\nDisallow: /\n".encode(), "ours").refusal("https://a.example/x")
    assert (refused is Reason.ROBOTS) is names_us
    allowed = rules(200, f"User-agent: *\nDisallow: /\n\nUser-agent: {line}\nAllow: /\n".encode(), "ours").refusal("https://a.example/x")
    assert (allowed is None) is names_us


def test_a_product_token_of_several_words_is_named_by_all_of_them() -> None:
    body = b"User-agent: City News/1.0\nDisallow: /a\n\nUser-agent: City\nDisallow: /b\n"
    refused = [path for path in "abc" if rules(200, body, "city news").refusal(f"https://a.example/{path}")]
    assert refused == ["a"]


def test_everyone_with_more_words_is_everyone_and_a_line_without_a_name_ends_a_group() -> None:
    assert rules(200, b"User-agent: * all\nDisallow: /\n").refusal("https://a.example/x") is Reason.ROBOTS
    assert rules(200, b"User-agent: *\nDisallow: /a\nUser-agent:\nDisallow: /b\n").refusal("https://a.example/b") is None
    assert rules(200, b"User-agent: x\nUser-agent: *\nDisallow: /b\n").refusal("https://a.example/b") is Reason.ROBOTS


def test_a_byte_that_is_not_utf_8_leaves_the_rules_as_they_are() -> None:
    body = "User-agent: *\nDisallow: /écluse\nDisallow: /château\nDisallow: /forêt\n# ".encode() + b"caf\xe9"
    assert rules(200, body).refusal("https://a.example/%C3%A9cluse/1") is Reason.ROBOTS


@pytest.mark.parametrize(
    "lines",
    [
        "User_agent: *\nDisallow: /x",
        "User-agents: *\nDisallow: /x",
        "User-agent\uff1a *\nDisallow\uff1a/x",
        "User-agent:: *\nDisallow:: /x",
        "User-agent = *\nDisallow = /x",
        "User-agent: *\nDisallow: x",
        "User-agent: *\nDisallow: https://a.example/x",
    ],
)
def test_rules_that_are_written_wrongly_hold(lines: str) -> None:
    assert rules(200, lines.encode()).refusal("https://a.example/x/1") is Reason.ROBOTS
    assert rules(200, lines.encode()).refusal("https://a.example/y") is None
