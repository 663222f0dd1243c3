"""Crawler traps: parts of a site in which each page links to new pages without end."""

from __future__ import annotations

import hashlib
from datetime import date, timedelta

from demo.response import Request, Response
from demo.sites import Site

FACETS = {"colour": ("red", "blue", "green"), "size": ("s", "m", "l"), "sort": ("new", "old", "price"), "view": ("list", "grid")}


def calendar(request: Request, site: Site) -> Response:
    """A month without events, with a way to the next one and the one before."""
    try:
        month = date.fromisoformat(request.path.removeprefix("/odd/calendar").strip("/") + "-01")
    except ValueError:
        month = date(2026, 3, 1)
    later, earlier = month + timedelta(days=31), month - timedelta(days=1)
    return _page(f"Events in {month:%B %Y}: none", f"/odd/calendar/{later:%Y-%m}", f"/odd/calendar/{earlier:%Y-%m}")


def session(request: Request, site: Site) -> Response:
    """The same two pages, under a new session id each time."""
    new = hashlib.sha1(request.target.encode(), usedforsecurity=False).hexdigest()
    return _page("Welcome back", f"/odd/session?sid={new}", f"/odd/session/offers;jsessionid={new[:16]}?PHPSESSID={new[16:]}")


def repeat(request: Request, site: Site) -> Response:
    """Relative links that were meant to be absolute."""
    return _page("Archive", "news/", "archive/")


def facets(request: Request, site: Site) -> Response:
    """A list whose filters can be added in any order, any number of times."""
    query = request.target.partition("?")[2]
    links = [f"/odd/facets?{query}{'&' if query else ''}{name}={value}" for name, values in FACETS.items() for value in values]
    return _page("Our offers", *links)


def _page(title: str, *links: str) -> Response:
    items = "".join(f'<li><a href="{link.replace("&", "&amp;")}">{link.replace("&", "&amp;")}</a></li>' for link in links)
    return Response(
        f"<!DOCTYPE html><html lang=en><head><title>{title}</title></head><body><h1>{title}</h1><ul>{items}</ul></body></html>".encode()
    )
