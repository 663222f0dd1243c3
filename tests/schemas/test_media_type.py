"""Content-Type lines as servers write them."""

import pytest

from schemas.web.media_type import MediaType, read_media_type
from tests.cpu import growth


@pytest.mark.parametrize(
    ("written", "name", "charset"),
    [
        ("text/html; charset=utf-8", "text/html", "utf-8"),
        ("TEXT/HTML;Charset='ISO-8859-1'", "text/html", "ISO-8859-1"),
        ("text/html charset=utf-8", "text/html", "utf-8"),
        ("text/html;;charset = utf-8;", "text/html", "utf-8"),
        ("text/html, text/html; charset=utf-8", "text/html", "utf-8"),
        ("text/html; charset=utf-8, text/html", "text/html", "utf-8"),
        ("text/plain, text/html; charset=utf-8", "text/html", "utf-8"),
        ("text/html; charset=utf-8, text/plain", "text/plain", None),
        ("text/html, */*", "text/html", None),
        ('"text/html"', "text/html", None),
        ('text/html; title="a, b/c"; charset=utf-8', "text/html", "utf-8"),
        ("charset=utf-8", None, "utf-8"),
        ("text/html\x00", "text/html", None),
        ("*/*", "*/*", None),
        ("html", None, None),
        ("", None, None),
        (None, None, None),
    ],
)
def test_types(written: str | None, name: str | None, charset: str | None) -> None:
    assert read_media_type(written) == MediaType(name, charset)


@pytest.mark.parametrize("unit", ['"', ",", "text/html,", 'a"b', "charset=", " "])
def test_a_hostile_line_takes_bounded_time(unit: str) -> None:
    assert growth(lambda size: read_media_type(unit * size), 10_000) < 4


@pytest.mark.parametrize(
    "written", ["text/*", "content/unknown", "application/x-unknown-content-type", "text/htm", "text/x-html", "(null)"]
)
def test_types_that_leave_it_to_the_bytes(written: str) -> None:
    assert read_media_type(written).may_be_html
