"""How a request for a page is answered: with the page, or with the sentence of an error."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from fastapi import Request
from fastapi.responses import HTMLResponse

from crawlhouse.pages.site import HEADERS, Site, render
from schemas.config.settings import Settings, load_settings
from schemas.errors import ConfigError, CrawlhouseError, NotFoundError

STATUS = ((NotFoundError, 404, "Not found"), (ConfigError, 400, "Not possible"), (CrawlhouseError, 503, "Not available"))


def site_of(request: Request) -> Site:
    """Where links lead, also when Airflow's UI has a path of its own."""
    pages = str(request.scope.get("root_path", "")).rstrip("/")
    return Site(pages=pages, airflow=pages.removesuffix("/crawlhouse"))


def answer(page: Callable[[Settings], str], site: Site, headers: Mapping[str, str] = HEADERS) -> HTMLResponse:
    """A page with its headers, or the sentence of an error."""
    try:
        return HTMLResponse(page(load_settings()), headers=dict(headers))
    except CrawlhouseError as error:
        status, title = next((code, title) for kind, code, title in STATUS if isinstance(error, kind))
        page_of_error = render("message.html", site, title=title, message=str(error), is_error=True, place="")
        return HTMLResponse(page_of_error, status_code=status, headers=HEADERS)
