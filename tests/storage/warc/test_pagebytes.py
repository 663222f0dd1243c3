"""Whether bytes are a page, and a whole one."""

import gzip
import random
import zlib

import brotli
import pytest
from backports import zstd

from schemas.web.media_type import read_media_type
from storage.warc.page_bytes import ends_as_whole_page, is_html
from storage.warc.sniff import sniff

PAGE = b"<!DOCTYPE html><html><body><p>A page.</p></body></html>"
XHTML = b'<?xml version="1.0"?>\n<!DOCTYPE html>\n<html xmlns="http://www.w3.org/1999/xhtml"><body/></html>'


@pytest.mark.parametrize("declared", ["", "unknown/unknown", "application/unknown", "*/*", "html", "text/x-html", "text/html", "utf-8"])
@pytest.mark.parametrize("body", [PAGE, b"\xef\xbb\xbf\n" + PAGE, PAGE.decode().encode("utf-16"), b"<!-- cached -->\n" + PAGE, XHTML])
def test_bytes_decide_where_the_type_says_nothing(declared: str, body: bytes) -> None:
    assert is_html(read_media_type(declared), body)


@pytest.mark.parametrize("declared", ["application/xml", "text/xml; charset=utf-8"])
def test_xml_is_a_page_if_its_root_is_html(declared: str) -> None:
    assert is_html(read_media_type(declared), XHTML)
    assert not is_html(read_media_type(declared), b"<?xml version='1.0'?><books><html/></books>")


@pytest.mark.parametrize("declared", ["", "unknown/unknown"])
@pytest.mark.parametrize("body", [b'{"html": "<p>x</p>"}', b"%PDF-1.7 <p>", b"\x89PNG\r\n\x1a\n\x00\x00<p>", b"plain words", b""])
def test_other_bytes_are_no_page(declared: str, body: bytes) -> None:
    assert not is_html(read_media_type(declared), body)


@pytest.mark.parametrize("declared", ["text/plain", "application/pdf", "application/json", "application/rss+xml", "image/svg+xml"])
def test_other_types_are_believed(declared: str) -> None:
    assert not is_html(read_media_type(declared), PAGE)


@pytest.mark.parametrize(
    "end", [b"", b"\r\n \t", b"\n<!-- page 3 ms - cached -->\n", b"</HTML >", b"<script>count()</script>\n<!-- a - b -- c -->"]
)
def test_a_page_ends_with_html(end: bytes) -> None:
    assert ends_as_whole_page(PAGE + end)


@pytest.mark.parametrize("body", [PAGE[:-1], PAGE[:-7], b"<pre>&lt;/html></pre>", PAGE + b"<p>more", b"", b'{"a": "</html>"}'])
def test_a_page_without_its_end_is_cut(body: bytes) -> None:
    assert not ends_as_whole_page(body)


@pytest.mark.parametrize("coding", ["gzip", "x-gzip;q=1", "br", "zstd", "deflate", "aws-chunked, gzip", '"gzip"'])
def test_the_type_of_a_body_with_a_content_coding_is_that_of_its_text(coding: str) -> None:
    name = next(one for one in ("gzip", "br", "zstd", "deflate") if one in coding)
    compress = {"gzip": gzip.compress, "br": brotli.compress, "zstd": zstd.compress, "deflate": zlib.compress}[name]
    page = b"<!doctype html><title>A page</title>" + random.Random(1).randbytes(9_000).hex().encode()
    assert sniff(compress(page), coding, "text/plain") == "text/html"
    if name != "zstd":  # whose only block is cut
        assert sniff(compress(page)[:-9], coding, None) == "text/html"
