"""What pages, headers and tdmrep.json reserve, read as their specifications say."""

from datetime import UTC, datetime

import pytest

from schemas.web.directives import header_directives, read_directives
from spiders.permission.opt_outs import NO_OPT_OUTS, OptOuts, header_opt_outs, meta_opt_outs, read_tdm_file

NOW = datetime(2026, 11, 22, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("unavailable_after: 25 Jun 2010 15:00:00 GMT", datetime(2010, 6, 25, 15, tzinfo=UTC)),
        ("noindex, unavailable_after: 25 Jun 2010 15:00:00 PST", datetime(2010, 6, 25, 23, tzinfo=UTC)),
        ("noindex; unavailable_after: 2010-06-25", datetime(2010, 6, 25, tzinfo=UTC)),
        ("unavailable_after: Saturday, 25-Jun-10 15:00:00 GMT", datetime(2010, 6, 25, 15, tzinfo=UTC)),
        ("unavailable_after: Thu, 25 Jun 2010 15:00:00 GMT, nofollow", datetime(2010, 6, 25, 15, tzinfo=UTC)),
        ("Unavailable_After: 2030-01-01", datetime(2030, 1, 1, tzinfo=UTC)),
        ("unavailable_after: 2020-01-01T10:00:00+02:00", datetime(2020, 1, 1, 8, tzinfo=UTC)),
        ("unavailable_after: 25 June 2010", datetime(2010, 6, 25, tzinfo=UTC)),
        ("unavailable_after: June 25, 2010, nofollow", datetime(2010, 6, 25, tzinfo=UTC)),
        ("unavailable_after: Friday, 25-Jun-10 15:00:00 CEST", datetime(2010, 6, 25, 13, tzinfo=UTC)),
        ("unavailable_after: soon", None),
    ],
)
def test_dates_of_unavailable_after(text: str, moment: datetime | None) -> None:
    found = read_directives(text)
    assert found.unavailable_after == moment
    assert found.forbids_indexing(NOW) is ("noindex" in text or (moment is not None and moment < NOW))


def test_words() -> None:
    assert read_directives("NONE").forbids_indexing(NOW)
    assert read_directives(" None ").forbids_following()
    assert not read_directives("none").forbids_archiving(NOW)
    assert read_directives("index,NoArchive").forbids_archiving(NOW)
    assert not read_directives("index, follow, max-snippet: -1").forbids_archiving(NOW)


def tags(*values: str) -> list[tuple[bytes, bytes]]:
    return [(b"X-Robots-Tag", value.encode()) for value in values]


def test_headers_for_named_crawlers() -> None:
    others = ["googlebot: noindex, nofollow", "otherbot: noarchive"]
    assert header_directives(tags(*others), "crawlhouse").words == frozenset()
    ours = header_directives(tags(*others, "googlebot: noindex, CrawlHouse: noarchive, nofollow"), "crawlhouse")
    assert ours.words == {"noarchive", "nofollow"}
    assert header_directives(tags("max-image-preview: large, noindex"), "crawlhouse").forbids_indexing(NOW)
    dated = header_directives(tags("crawlhouse: unavailable_after: 25 Jun 2010 15:00:00 GMT"), "crawlhouse")
    assert dated.unavailable_after == datetime(2010, 6, 25, 15, tzinfo=UTC)


def test_the_nearest_reservation_holds() -> None:
    header = header_opt_outs(((b"Content-Type", b"text/html"), (b"TDM-Reservation", b" 1 ")), "crawlhouse")
    assert header.archiving_opt_out(NOW) == "tdm-reservation"
    assert header.combined(meta_opt_outs([("tdm-reservation", "0")], "crawlhouse")).archiving_opt_out(NOW) is None
    assert header.combined(meta_opt_outs([("tdm-reservation", "maybe")], "crawlhouse")).archiving_opt_out(NOW) == "tdm-reservation"
    assert header.combined(NO_OPT_OUTS) == header
    assert header_opt_outs(((b"tdm-reservation", b"2"),), "crawlhouse").tdm is None


def test_directives_of_both_places_add_up() -> None:
    header = header_opt_outs(((b"X-Robots-Tag", b"noindex"), (b"X-Robots-Tag", b"nofollow")), "crawlhouse")
    both = header.combined(meta_opt_outs([("Robots", "noarchive"), ("googlebot", "none"), ("viewport", "noindex")], "crawlhouse"))
    assert both.directives.words == {"noindex", "nofollow", "noarchive"}
    assert both.archiving_opt_out(NOW) == "noarchive"
    assert meta_opt_outs([("crawlhouse", "noarchive")], "crawlhouse").archiving_opt_out(NOW) == "noarchive"
    assert OptOuts(read_directives("unavailable_after: 2020-01-01")).archiving_opt_out(NOW) == "unavailable_after"


TDM = b"""[
  {"location": "/free/*.jpg$", "tdm-reservation": 0},
  {"location": "/exactly$", "tdm-reservation": 1},
  {"location": "/a/*/then", "tdm-reservation": 1, "tdm-policy": "https://example.com/policy"},
  {"location": "/%7Euser/foo-%24", "tdm-reservation": "1"},
  {"location": "/broken", "tdm-reservation": 2},
  {"location": "/flag", "tdm-reservation": true},
  {"tdm-reservation": 1}, 7,
  {"location": "/free/", "tdm-reservation": 1}
]"""


@pytest.mark.parametrize(
    ("path", "reserved"),
    [
        ("/free/x/y.jpg", False),
        ("/free/x/y.jpg?size=2", True),
        ("/free/page", True),
        ("/Free/page", None),
        ("/exactly", True),
        ("/exactly/not", None),
        ("/a/b/c/then/more", True),
        ("/a/then", None),
        ("/~user/foo-$", True),
        ("/%7euser/foo-%24x", True),
        ("/broken", None),
        ("/flag", None),
        ("", None),
    ],
)
def test_rules_of_a_tdm_file(path: str, reserved: bool | None) -> None:
    assert read_tdm_file(TDM).reserves("https://example.com" + path) is reserved


@pytest.mark.parametrize(
    "body", [b"", b"<html>", b'{"location": "/"}', b"[" * 100_000, b"\xff\xfe", b'[{"location": 5, "tdm-reservation": 1}]']
)
def test_what_is_no_tdm_file_reserves_nothing(body: bytes) -> None:
    rules = read_tdm_file(body)
    assert not rules
    assert rules.reserves("https://example.com/") is None


def test_a_pattern_of_many_stars_takes_no_time() -> None:
    hostile = b'[{"location": "/' + b"*a" * 30 + b'b$", "tdm-reservation": 1}]'
    assert read_tdm_file(hostile).reserves("https://example.com/" + "a" * 100_000) is None
