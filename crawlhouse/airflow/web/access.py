"""Who may see and do what on our pages: by the permissions that Airflow's auth manager gives for DAGs, Assets and views."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Collection, Mapping
from typing import Annotated

from airflow.api_fastapi.app import get_auth_manager
from airflow.api_fastapi.auth.managers.models.base_user import BaseUser
from airflow.api_fastapi.auth.managers.models.resource_details import AccessView, DagAccessEntity, DagDetails
from airflow.api_fastapi.core_api.security import GetUserDep, requires_access_asset, requires_access_view
from airflow.configuration import conf
from airflow.utils.types import DagRunTriggeredByType
from fastapi import Depends, HTTPException, Request
from sqlalchemy.orm import Session

see_website = requires_access_view(AccessView.WEBSITE)
see_tables = requires_access_asset("GET")  # our tables are Assets in Airflow
SAME_ORIGIN = "same-origin"


def visible_crawls(names: Collection[str], user: BaseUser) -> set[str]:
    """Those of these crawls whose DAG the user may see."""
    allowed = get_auth_manager().filter_authorized_dag_ids(dag_ids={f"crawl_{name}" for name in names}, user=user, method="GET")
    return {dag_id.removeprefix("crawl_") for dag_id in allowed}


def check_visible(crawl: str, user: BaseUser) -> None:
    """Raise 403 unless the user may see a crawl."""
    if not visible_crawls([crawl], user):
        raise HTTPException(403, "You may not see this crawl.")


def may_run(dag_id: str, user: BaseUser) -> bool:
    """Whether the user may trigger a DAG."""
    details = DagDetails(id=dag_id)
    return bool(get_auth_manager().is_authorized_dag(method="POST", access_entity=DagAccessEntity.RUN, details=details, user=user))


def check_may_run(dag_ids: Collection[str], user: BaseUser) -> None:
    """Raise 403 unless the user may trigger all these DAGs."""
    for dag_id in dag_ids:
        if not may_run(dag_id, user):
            raise HTTPException(403, f"You may not trigger the DAG {dag_id}.")


def start_dag(dag_id: str, user: BaseUser, session: Session, conf: Mapping[str, object] | None = None) -> str:
    """Start a run of a DAG in the user's name. Returns its id. Raises 404 for a DAG that Airflow does not know."""
    from airflow.api.common.trigger_dag import trigger_dag
    from airflow.exceptions import DagNotFound

    given, who = dict(conf or {}), user.get_name()
    try:
        begun = trigger_dag(dag_id, triggered_by=DagRunTriggeredByType.REST_API, triggering_user_name=who, conf=given, session=session)
    except DagNotFound as error:
        raise HTTPException(404, f"Airflow has no DAG {dag_id} yet.") from error
    return begun.run_id if begun else ""


def form_token(user: GetUserDep) -> str:
    """What a form of ours carries, so that another site's form does nothing: it cannot know the token of this user."""
    key = conf.get_mandatory_value("api", "secret_key").encode()
    return hmac.new(key, f"crawlhouse:{user.get_id()}".encode(), hashlib.sha256).hexdigest()


async def check_form(request: Request, user: GetUserDep) -> None:
    """Raise 403 unless a form was sent from one of our own pages."""
    token = str((await request.form()).get("token", ""))
    site = request.headers.get("sec-fetch-site", SAME_ORIGIN)
    if site != SAME_ORIGIN or not hmac.compare_digest(token.encode(), form_token(user).encode()):
        raise HTTPException(403, "This form was not sent from a page of crawlhouse. Load the page again.")


FormToken = Annotated[str, Depends(form_token)]
