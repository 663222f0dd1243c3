"""How a request for a page is answered: with the page, or with the sentence of an error."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from fastapi import Request
from fastapi.responses import HTMLResponse

from crawlhouse.pages.overview import render_overview
from crawlhouse.pages.site import HEADERS, Site
from schemas.config.settings import Settings, load_settings
from schemas.errors import ConfigError, CrawlhouseError, NotFoundError

STATUS = ((NotFoundError, 404), (ConfigError, 400), (CrawlhouseError, 503))


def site_of(request: Request) -> Site:
    """Where links lead, also when Airflow's UI has a path of its own."""
    pages = str(request.scope.get("root_path", "")).rstrip("/")
    return Site(pages=pages, airflow=pages.removesuffix("/crawlhouse"))


def answer(page: Callable[[Settings], str], site: Site, headers: Mapping[str, str] = HEADERS) -> HTMLResponse:
    """A page with its headers, or the sentence of an error."""
    try:
        return HTMLResponse(page(load_settings()), headers=dict(headers))
    except CrawlhouseError as error:
        status = next(code for kind, code in STATUS if isinstance(error, kind))
        return HTMLResponse(render_overview(None, site, problem=str(error)), status_code=status, headers=HEADERS)
