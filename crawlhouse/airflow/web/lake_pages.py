"""The pages of rows: datasets, records, quarantine. They need Airflow's permission for Assets, and that for the crawl's DAG."""

from __future__ import annotations

from typing import Annotated, Literal

from airflow.api_fastapi.common.db.common import SessionDep
from airflow.api_fastapi.core_api.security import GetUserDep
from fastapi import APIRouter, Depends, Form, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from pydantic import BaseModel, Field

from crawlhouse.airflow.web.access import FormToken, check_form, check_may_run, check_visible, see_tables, start_dag, visible_crawls
from crawlhouse.airflow.web.answers import answer, site_of
from crawlhouse.pages import archived
from crawlhouse.pages.dataset import render_dataset, render_datasets, render_versions
from crawlhouse.pages.quarantine import Started, Wanted, render_quarantine, render_quarantined
from crawlhouse.pages.record import render_archived, render_record, render_search
from schemas.errors import ConfigError

DECISIONS = "decide_rows"  # the DAG that does what is decided
SETTLE = ("release", "retry", "drop")

router = APIRouter(dependencies=[Depends(see_tables)])


@router.get("/datasets", response_class=HTMLResponse)
def datasets(request: Request) -> HTMLResponse:
    """All datasets."""
    site = site_of(request)
    return answer(lambda settings: render_datasets(settings, site), site)


@router.get("/datasets/{name}", response_class=HTMLResponse)
def dataset(request: Request, name: str) -> HTMLResponse:
    """A dataset."""
    site = site_of(request)
    return answer(lambda settings: render_dataset(settings, site, name), site)


@router.get("/datasets/{name}/rows/{row_id:path}", response_class=HTMLResponse)
def versions(request: Request, name: str, row_id: str) -> HTMLResponse:
    """The versions of a row."""
    site = site_of(request)
    return answer(lambda settings: render_versions(settings, site, name, row_id), site)


@router.get("/record", response_class=HTMLResponse)
def record(request: Request, user: GetUserDep, url: str = "", q: str = "") -> HTMLResponse:
    """A record by its URL, or a search."""
    site = site_of(request)
    if url:
        return answer(lambda settings: render_record(settings, site, url, lambda crawl: check_visible(crawl, user)), site)
    return answer(lambda settings: render_search(settings, site, q.strip()), site)


@router.get("/archived", response_class=HTMLResponse)
def archived_page(request: Request, user: GetUserDep, url: str) -> HTMLResponse:
    """An archived page, for the frame of its record."""
    site = site_of(request)
    return answer(lambda settings: render_archived(settings, url, lambda crawl: check_visible(crawl, user)), site, archived.HEADERS)


class Looked(BaseModel):
    """What the page of quarantine shows, and the decision that was just made with its DAG run."""

    crawl: str = ""
    dataset: str = ""
    rule: str = ""
    url: str = ""
    started: Literal["", "release", "retry", "drop", "accept", "discard"] = ""
    run: str = ""


@router.get("/quarantine", response_class=HTMLResponse)
def quarantine(request: Request, user: GetUserDep, token: FormToken, looked: Annotated[Looked, Query()]) -> HTMLResponse:
    """Rows in quarantine, and rows that are held back."""
    site = site_of(request)
    wanted = Wanted(looked.crawl, looked.dataset, looked.rule, looked.url)
    started = Started(looked.started, looked.run)
    return answer(
        lambda settings: render_quarantine(settings, site, wanted, token, lambda names: visible_crawls(names, user), started), site
    )


@router.get("/quarantine/{row_id}", response_class=HTMLResponse)
def quarantined(request: Request, user: GetUserDep, row_id: str, file: str, offset: int) -> HTMLResponse:
    """A row in quarantine."""
    site = site_of(request)
    return answer(lambda settings: render_quarantined(settings, site, file, offset, row_id, lambda crawl: check_visible(crawl, user)), site)


class Decision(BaseModel):
    """The form of a decision: of the rows that are ticked, or of those of a held run."""

    action: Literal["release", "retry", "drop", "accept", "discard"]
    reason: str = Field(min_length=1, max_length=500)
    ids: list[str] = []
    run: str = ""
    dataset: str = ""
    crawl: str = ""
    rule: str = ""
    url: str = ""
    token: str = ""

    @property
    def is_of_rows(self) -> bool:
        """Whether it is about rows in quarantine."""
        return self.action in SETTLE

    def conf(self, who: str) -> dict[str, object]:
        """The parameters of the DAG."""
        rows: dict[str, object] = {"ids": self.ids} if self.is_of_rows else {"run": self.run, "dataset": self.dataset or None}
        return {"action": self.action, "reason": self.reason.strip(), "who": who, **rows}


@router.post("/decide", dependencies=[Depends(check_form)])
def decide(request: Request, user: GetUserDep, session: SessionDep, decision: Annotated[Decision, Form()]) -> Response:
    """Start the DAG that does what was decided."""
    site = site_of(request)
    if not (decision.ids if decision.is_of_rows else decision.run):
        return answer(lambda _: _raise(ConfigError("Tick the rows that the decision is about.")), site)
    check_may_run([DECISIONS, *([f"process_{decision.crawl}"] if decision.crawl else [])], user)
    run_id = start_dag(DECISIONS, user, session, decision.conf(user.get_name()))
    crawl = decision.crawl if decision.is_of_rows else ""
    return RedirectResponse(site.link("quarantine", crawl=crawl, started=decision.action, run=run_id), status_code=303)


def _raise(problem: ConfigError) -> str:
    raise problem
