"""crawlhouse's pages inside Airflow's UI, for users who may see the UI. Airflow itself would show a plugin's pages to everyone."""

from __future__ import annotations

from airflow.api_fastapi.common.db.common import SessionDep
from airflow.api_fastapi.core_api.security import GetUserDep
from fastapi import Depends, FastAPI, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from crawlhouse.airflow.web import lake_pages
from crawlhouse.airflow.web.access import (
    FormToken,
    check_form,
    check_may_run,
    check_visible,
    may_run,
    see_website,
    start_dag,
    visible_crawls,
)
from crawlhouse.airflow.web.answers import answer, site_of
from crawlhouse.airflow.web.dag_states import process_run_of, read_airflow_side, read_dag_states
from crawlhouse.monitor.metrics import metrics_text
from crawlhouse.monitor.waiting import waiting_rows
from crawlhouse.pages.crawl import render_crawl
from crawlhouse.pages.hosts import render_hosts
from crawlhouse.pages.overview import render_overview
from crawlhouse.pages.run import render_run
from crawlhouse.pages.site import HEADERS, STATIC, asset, render
from schemas.config.settings import Settings, load_settings
from schemas.errors import CrawlhouseError, NotFoundError
from storage.database.engine import open_database
from storage.ledger.summaries import find_run, run_of_key

app = FastAPI(title="crawlhouse", docs_url=None, redoc_url=None, openapi_url=None, dependencies=[Depends(see_website)])


app.include_router(lake_pages.router)


@app.get("/", response_class=HTMLResponse)
def overview(request: Request, session: SessionDep, user: GetUserDep, state: str = "") -> HTMLResponse:
    """All crawls, those first that need attention."""
    site = site_of(request)

    def page(settings: Settings) -> str:
        return render_overview(
            settings,
            site,
            dags=read_dag_states(session),
            waiting=waiting_rows(settings),
            visible=lambda names: visible_crawls(names, user),
            state=state,
        )

    return answer(page, site)


@app.get("/crawls/{name}", response_class=HTMLResponse)
def crawl(request: Request, name: str, session: SessionDep, user: GetUserDep, token: FormToken, begun: str = "") -> HTMLResponse:
    """A crawl with its last runs."""
    check_visible(name, user)
    site = site_of(request)
    shown_token = token if may_run(f"crawl_{name}", user) else ""
    return answer(lambda settings: render_crawl(settings, site, name, read_dag_states(session).get(name), shown_token, begun), site)


@app.post("/crawls/{name}/run", dependencies=[Depends(check_form)])
def run_now(request: Request, name: str, user: GetUserDep, session: SessionDep) -> Response:
    """Start a run of a crawl."""
    check_may_run([f"crawl_{name}"], user)
    begun = start_dag(f"crawl_{name}", user, session)
    return RedirectResponse(site_of(request).link("crawls", name, begun=begun), status_code=303)


@app.get("/runs/{crawl_run}", response_class=HTMLResponse)
def run(request: Request, crawl_run: str, session: SessionDep, user: GetUserDep) -> HTMLResponse:
    """A crawl run."""
    site = site_of(request)

    def page(settings: Settings) -> str:
        database = open_database(settings.database_url("frontier"))
        try:
            found = find_run(database, crawl_run)
        finally:
            database.close()
        check_visible(found.crawl, user)
        process_run = found.summary.process_run if found.summary else None
        return render_run(settings, site, crawl_run, read_airflow_side(session, found.crawl, found.key, process_run))

    return answer(page, site)


@app.get("/dags/{dag_id}", response_class=HTMLResponse)
def of_dag(request: Request, dag_id: str) -> Response:
    """The crawl of a DAG, as a tab of the DAG's own page."""
    stage, _, name = dag_id.partition("_")
    site = site_of(request)
    if stage not in {"crawl", "process", "reprocess"}:
        return answer(lambda _: render("message.html", site, title=dag_id, message="This DAG is not of one crawl.", place=""), site)
    return RedirectResponse(site.link("crawls", name), status_code=303)


@app.get("/dags/{dag_id}/runs/{run_id}", response_class=HTMLResponse)
def of_dag_run(request: Request, dag_id: str, run_id: str, session: SessionDep, user: GetUserDep) -> Response:
    """The crawl run of a DAG's run, as a tab of its own page: the one that it planned, or the newest that it processed."""
    stage, _, name = dag_id.partition("_")
    site = site_of(request)
    if stage not in {"crawl", "process"}:
        return answer(lambda _: render("message.html", site, title=dag_id, message="This DAG is not of one crawl.", place=""), site)
    check_visible(name, user)
    found = _crawl_run(name, run_id) if stage == "crawl" else _processed_run(session, dag_id, run_id)
    if found is None:
        text = "Nothing was due, or it has not planned its crawl run yet." if stage == "crawl" else "It has processed nothing, or not yet."
        return answer(lambda _: render("message.html", site, title=run_id, message=text, place=""), site)
    return RedirectResponse(site.link("runs", found), status_code=303)


@app.get("/hosts", response_class=HTMLResponse)
def hosts(request: Request, user: GetUserDep, crawl: str = "") -> HTMLResponse:
    """The hosts of a crawl, or of all."""
    if crawl:
        check_visible(crawl, user)
    site = site_of(request)
    return answer(lambda settings: render_hosts(settings, site, crawl or None), site)


@app.get("/metrics")
def metrics() -> Response:
    """The state of all crawls for Prometheus. It needs a token of Airflow's, of a user who may see the UI."""
    try:
        settings = load_settings()
        return Response(metrics_text(settings, waiting_rows(settings)), media_type="text/plain; version=0.0.4", headers=HEADERS)
    except CrawlhouseError as error:
        return Response(f"# {error}\n", status_code=503, media_type="text/plain", headers=HEADERS)


@app.get("/static/{name}")
def static(name: str) -> Response:
    """A style sheet or a script."""
    if name not in STATIC:
        return Response(status_code=404, headers=HEADERS)
    return Response(asset(name), media_type=STATIC[name], headers=HEADERS | {"Cache-Control": "private, max-age=300"})


def _crawl_run(crawl_name: str, key: str) -> str | None:
    database = open_database(load_settings().database_url("frontier"))
    try:
        with database.read() as connection:
            return run_of_key(connection, crawl_name, key)
    finally:
        database.close()


def _processed_run(session: SessionDep, dag_id: str, run_id: str) -> str | None:
    """The newest crawl run of the process run that the task `plan` of a DAG run planned."""
    process_run = process_run_of(session, dag_id, run_id)
    if process_run is None:
        return None
    database = open_database(load_settings().database_url("frontier"))
    try:
        from storage.ledger.ledger import Ledger

        return Ledger(database).process_run(process_run).crawl_runs[-1]
    except NotFoundError:
        return None
    finally:
        database.close()
