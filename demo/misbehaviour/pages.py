"""Misbehaviours in well-formed HTTP responses."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from functools import cache

from demo.clock import START
from demo.news.picture import PNG
from demo.news.story import write_story
from demo.response import Request, Response, redirect
from demo.sites import Site

BOMB_BYTES = 100 * 1024 * 1024
SITEMAP_URLS = 50_000
DEEP_ELEMENTS = 100_000
RETRY_SECONDS = 9
EXPIRED = "unavailable_after: 01 Jan 2020 00:00:00 GMT"
Respond = Callable[[Request, Site], Response]


def status(code: int, *headers: tuple[str, str]) -> Respond:
    """A response with a status and hardly a body."""
    body = f"<!DOCTYPE html><title>{code}</title><p>{code}</p>".encode()
    return lambda request, site: Response(body, status=code, headers=headers)


def html_of(path: str, head: str = "", end: str = "", language: str = "en") -> str:
    """An article's page for a path, without boilerplate. The same path always has the same page."""
    story = write_story(0, 900_000 + zlib.crc32(path.encode()) % 90_000, language, "city", "city", START)
    body = "".join(f"<p>{block.text}</p>\n" for block in story.blocks)
    top = f'<!DOCTYPE html><html lang="{language}"><head><title>{story.title}</title>{head}</head>'
    return f"{top}<body><h1>{story.title}</h1>\n<article>{body}</article>{end}</body></html>"


def article(head: str = "", headers: tuple[tuple[str, str], ...] = ()) -> Respond:
    """An article with something in its head or its headers."""
    return lambda request, site: Response(html_of(request.path, f"<meta charset=utf-8>{head}").encode(), headers=headers)


def nofollow(request: Request, site: Site) -> Response:
    """A page whose link is not to be followed."""
    head = '<meta charset=utf-8><meta name="robots" content="nofollow">'
    return Response(html_of(request.path, head, '<a href="/odd/followed">on</a>').encode())


def unavailable_until(request: Request, site: Site) -> Response:
    """503 with a date some seconds ahead."""
    until = format_datetime(datetime.now(UTC) + timedelta(seconds=RETRY_SECONDS), usegmt=True)
    return Response(b"", status=503, headers=(("Retry-After", until),))


def chain(request: Request, site: Site) -> Response:
    """One link of a redirect chain; the last one is an article."""
    left = request.path.rpartition("/")[2]
    if not left.isdigit() or int(left) > 5:
        return Response(b"", status=404)
    return redirect(f"/odd/chain/{int(left) - 1}") if int(left) else Response(html_of("/odd/chain").encode())


@cache
def _bomb() -> bytes:
    packer = zlib.compressobj(6, zlib.DEFLATED, 31)
    block = bytes(1024 * 1024)
    return b"".join([packer.compress(block) for _ in range(BOMB_BYTES // len(block))]) + packer.flush()


def bomb(request: Request, site: Site) -> Response:
    """A small body that grows a thousandfold when unpacked."""
    return Response(_bomb(), headers=(("Content-Encoding", "gzip"),), sent_as_is=True)


def not_gzip(request: Request, site: Site) -> Response:
    """A plain body under a gzip label."""
    return Response(html_of(request.path).encode(), headers=(("Content-Encoding", "gzip"),), sent_as_is=True)


def unknown_coding(request: Request, site: Site) -> Response:
    """A coding that does not exist."""
    return Response(gzip.compress(html_of(request.path).encode(), mtime=0), headers=(("Content-Encoding", "x-folded"),), sent_as_is=True)


def wrong_charset(request: Request, site: Site) -> Response:
    """Declared UTF-8 in header and page; the bytes are windows-1252."""
    html = html_of(request.path, '<meta charset="utf-8">', language="de")
    return Response(html.encode("windows-1252", "xmlcharrefreplace"))


def no_charset(request: Request, site: Site) -> Response:
    """Shift_JIS bytes, declared nowhere."""
    return Response(html_of(request.path, language="ja").encode("shift_jis", "xmlcharrefreplace"), "text/html")


def pdf(request: Request, site: Site) -> Response:
    """The smallest of PDFs."""
    return Response(b"%PDF-1.4\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n", "application/pdf")


def image(request: Request, site: Site) -> Response:
    """A picture of one pixel."""
    return Response(PNG, "image/png")


def empty(request: Request, site: Site) -> Response:
    """Nothing, successfully."""
    return Response(b"")


def partial(request: Request, site: Site) -> Response:
    """A part of a page, unasked."""
    whole = html_of(request.path).encode()
    return Response(whole[:600], status=206, headers=(("Content-Range", f"bytes 0-599/{len(whole)}"),), sent_as_is=True)


def soft_not_found(request: Request, site: Site) -> Response:
    """Not found, with 200."""
    lines = "<p>Sorry, the page you are looking for could not be found.</p><p>Error 404. Try our <a href='/'>home page</a>.</p>"
    return Response(
        f"<!DOCTYPE html><html><head><title>Page not found</title></head><body><h1>Page not found</h1>{lines}</body></html>".encode()
    )


def login(request: Request, site: Site) -> Response:
    """A form where an article should be."""
    form = "<form method=post action='/odd/login'><input name=user><input type=password name=password><button>Log in</button></form>"
    lead = "<p>This article is for subscribers. Log in to continue reading.</p>"
    return Response(
        f"<!DOCTYPE html><html><head><title>Log in</title></head><body><h1>Please log in</h1>{lead}{form}</body></html>".encode()
    )


def canonical_home(request: Request, site: Site) -> Response:
    """An article that claims to be the home page."""
    return Response(html_of(request.path, f'<meta charset=utf-8><link rel="canonical" href="{site.base}/">').encode())


def broken_sitemap(request: Request, site: Site) -> Response:
    """XML that ends in the middle of an element, with a stray ampersand."""
    urls = f"<url><loc>{site.base}/odd/404?a=1&b=2</loc></url><url><loc>{site.base}/odd/41"
    return Response(f'<?xml version="1.0"?><urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">{urls}'.encode(), "application/xml")


@cache
def _huge_sitemap(base: str) -> Response:
    urls = "".join(f"<url><loc>{base}/odd/404?n={n}</loc></url>\n" for n in range(SITEMAP_URLS))
    xml = f'<?xml version="1.0"?><urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">\n{urls}</urlset>'
    return Response(xml.encode(), "application/xml")


def huge_sitemap(request: Request, site: Site) -> Response:
    """As many URLs as the protocol allows."""
    return _huge_sitemap(site.base)


def bad_dates(request: Request, site: Site) -> Response:
    """Items dated tomorrow, in 1970, never, and in no calendar."""
    dates = ("Mon, 02 Mar 2099 06:00:00 GMT", "Thu, 01 Jan 1970 00:00:00 GMT", "", "yesterday evening", "Fri, 31 Feb 2026 25:61:00 GMT")
    items = "".join(
        f"<item><title>Item {n}</title><link>{site.base}/odd/noindex?item={n}</link><pubDate>{date}</pubDate></item>\n"
        for n, date in enumerate(dates)
    )
    return Response(
        f'<?xml version="1.0"?><rss version="2.0"><channel><title>Dates</title>{items}</channel></rss>'.encode(), "application/rss+xml"
    )


@cache
def _deep() -> Response:
    return Response(f"<!DOCTYPE html><title>Deep</title><body>{'<div>' * DEEP_ELEMENTS}bottom{'</div>' * DEEP_ELEMENTS}</body>".encode())


def deep(request: Request, site: Site) -> Response:
    """A tower of elements."""
    return _deep()
