"""crawlhouse's pages inside Airflow's UI, for users who may see the UI. Airflow itself would show a plugin's pages to everyone."""

from __future__ import annotations

from airflow.api_fastapi.auth.managers.models.resource_details import AccessView
from airflow.api_fastapi.core_api.security import requires_access_view
from fastapi import Depends, FastAPI
from fastapi.responses import HTMLResponse

from crawlhouse.airflow.run_page import render_runs
from schemas.config.settings import load_settings
from schemas.errors import CrawlhouseError

HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'self'; base-uri 'none'",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
}

app = FastAPI(
    title="crawlhouse",
    docs_url=None,
    redoc_url=None,
    openapi_url=None,
    dependencies=[Depends(requires_access_view(AccessView.WEBSITE))],
)


@app.get("/", response_class=HTMLResponse)
def runs() -> HTMLResponse:
    """The latest runs of each crawl with their results."""
    try:
        return HTMLResponse(render_runs(load_settings()), headers=HEADERS)
    except CrawlhouseError as error:
        return HTMLResponse(render_runs(None, str(error)), status_code=503, headers=HEADERS)
