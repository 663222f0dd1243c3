"""Misbehaviours that crawlers meet, each at a URL under /odd/. The list is data; each entry names its handler."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from html import escape

from demo.misbehaviour import pages, traps, wire
from demo.response import Request, Response, redirect
from demo.server import RawHandler
from demo.sites import Site

Respond = Callable[[Request, Site], "Response | RawHandler"]


@dataclass(frozen=True)
class Misbehaviour:
    """`path` is its URL's path (for a trap: the beginning of its paths), `description` says what happens there."""

    path: str
    description: str
    respond: Respond


def _redirect_to(location: str) -> Respond:
    return lambda request, site: redirect(location)


def _contact(request: Request, site: Site) -> Response:
    return redirect("/about" if site.index == 0 else "/impressum.html", 301)


_ODD: tuple[tuple[str, str, Respond], ...] = (
    ("404", "404 Not Found", pages.status(404)),
    ("410", "410 Gone", pages.status(410)),
    ("500", "500 Internal Server Error", pages.status(500)),
    ("503-seconds", "503 with Retry-After in seconds", pages.status(503, ("Retry-After", "7"))),
    ("503-date", "503 with Retry-After as an HTTP date", pages.unavailable_until),
    ("429", "429 Too Many Requests with Retry-After", pages.status(429, ("Retry-After", "5"))),
    ("redirect", "a redirect to a page that exists", _contact),
    ("chain/5", "a chain of five redirects", pages.chain),
    ("loop-a", "a redirect loop of two", _redirect_to("/odd/loop-b")),
    ("loop-b", "the other URL of the redirect loop", _redirect_to("/odd/loop-a")),
    ("to-private-10", "a redirect to 10.0.0.1", _redirect_to("http://10.0.0.1/")),
    ("to-metadata", "a redirect to a cloud's metadata address", _redirect_to("http://169.254.169.254/latest/meta-data/")),
    ("to-loopback-6", "a redirect to [::1]", _redirect_to("http://[::1]/")),
    ("to-decimal", "a redirect to 127.0.0.1 spelt as a decimal number", _redirect_to("http://2130706433/")),
    ("to-mapped", "a redirect to an IPv4-mapped IPv6 address", _redirect_to("http://[::ffff:10.0.0.1]/")),
    ("to-file", "a redirect to a file: URL", _redirect_to("file:///etc/hostname")),
    ("to-javascript", "a redirect to a javascript: URL", _redirect_to("javascript:alert(1)")),
    ("no-location", "a redirect without Location", pages.status(302)),
    ("drip", "a body of a byte a second", wire.drip),
    ("slow-headers", "a header line a second", wire.slow_headers),
    ("cut-body", "a body shorter than its Content-Length", wire.cut_body),
    ("cut-chunk", "a chunked body cut in the middle of a chunk", wire.cut_chunk),
    ("chunked", "a whole chunked body, with a chunk extension and a trailer", wire.chunked),
    ("bomb", "a gzip body of 100 kB that unpacks to 100 MB", pages.bomb),
    ("not-gzip", "Content-Encoding gzip on a plain body", pages.not_gzip),
    ("unknown-coding", "a Content-Encoding nobody knows", pages.unknown_coding),
    ("wrong-charset", "UTF-8 declared, windows-1252 sent", pages.wrong_charset),
    ("no-charset", "Shift_JIS sent, no charset declared", pages.no_charset),
    ("no-type", "no Content-Type at all", wire.no_type),
    ("pdf", "a PDF", pages.pdf),
    ("image", "a PNG", pages.image),
    ("huge-header", "one header of 400 kB", wire.huge_header),
    ("endless-headers", "header lines without end", wire.endless_headers),
    ("204", "204 No Content", wire.no_content),
    ("empty", "200 with an empty body", pages.empty),
    ("206", "206 Partial Content that nobody asked for", pages.partial),
    ("bad-status", "a status line that is not valid", wire.bad_status),
    ("http-1.0", "HTTP/1.0, the body ends when the connection ends", wire.old_http),
    ("denied", "a page that robots.txt denies", pages.article()),
    ("noindex", "meta robots noindex", pages.article('<meta name="robots" content="noindex">')),
    ("nofollow", "meta robots nofollow, with a link", pages.nofollow),
    ("followed", "only linked from a page that says nofollow", pages.article()),
    ("noarchive", "X-Robots-Tag: noarchive", pages.article(headers=(("X-Robots-Tag", "noarchive"),))),
    ("noarchive-ours", "meta noarchive for this crawler by its name", pages.article('<META content="noarchive" NAME="Crawlhouse">')),
    (
        "noarchive-other",
        "X-Robots-Tag: noarchive for another crawler",
        pages.article(headers=(("X-Robots-Tag", "otherbot: noarchive, nofollow"),)),
    ),
    ("unavailable", "X-Robots-Tag: unavailable_after a date gone by", pages.article(headers=(("X-Robots-Tag", pages.EXPIRED),))),
    ("tdm-header", "TDMRep: text and data mining reserved by header", pages.article(headers=(("tdm-reservation", "1"),))),
    ("tdm-meta", "TDMRep: reserved by a meta element", pages.article('<meta name="tdm-reservation" content="1">')),
    ("tdm-file", "TDMRep: reserved by /.well-known/tdmrep.json", pages.article()),
    ("calendar", "a calendar without end", traps.calendar),
    ("session", "a new session id in every link", traps.session),
    ("repeat/", "relative links that repeat their segments for ever", traps.repeat),
    ("facets", "parameters that combine without end", traps.facets),
    ("soft-404", "not found, says the page; 200, says the status", pages.soft_not_found),
    ("login", "a login wall", pages.login),
    ("canonical-home", "an article whose canonical link is the home page", pages.canonical_home),
    ("broken-sitemap.xml", "a sitemap that is not well-formed", pages.broken_sitemap),
    ("huge-sitemap.xml", "a sitemap of 50,000 URLs", pages.huge_sitemap),
    ("bad-dates.xml", "a feed with wrong and future dates", pages.bad_dates),
    ("twice", "header lines that come twice", wire.twice),
    ("odd-case", "header names in odd case", wire.odd_case),
    ("obs-fold", "a header line folded over two", wire.obs_fold),
    ("deep", "100,000 nested elements", pages.deep),
)  # fmt: skip
MISBEHAVIOURS = tuple(Misbehaviour(f"/odd/{name}", description, respond) for name, description, respond in _ODD)
_BY_PATH = {odd.path: odd for odd in MISBEHAVIOURS}
_TRAPS = tuple(_BY_PATH[f"/odd/{name}"] for name in ("calendar", "session", "repeat/", "facets"))
TDM_FILE = b'[{"location": "/odd/tdm-file", "tdm-reservation": 1}]\n'


def respond(request: Request, site: Site) -> Response | RawHandler | None:
    """The misbehaviour at a request's path. None if there is none."""
    path = request.path
    if not path.startswith(("/odd/", "/.well-known/")):
        return None
    if path == "/.well-known/tdmrep.json":
        return Response(TDM_FILE, "application/json")
    if path == "/odd/":
        return _index()
    if path.startswith("/odd/chain/"):
        return pages.chain(request, site)
    trap = next((trap for trap in _TRAPS if path.startswith(trap.path)), None)
    odd = trap or _BY_PATH.get(path)
    return odd.respond(request, site) if odd else None


def _index() -> Response:
    links = "".join(f'<li><a href="{odd.path}">{escape(odd.description)}</a></li>\n' for odd in MISBEHAVIOURS)
    head = "<head><meta charset=utf-8><title>Oddities</title></head>"
    return Response(f"<!DOCTYPE html><html lang=en>{head}<body><h1>Oddities</h1><ul>\n{links}</ul></body></html>".encode())
