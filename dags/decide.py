"""### Decisions about rows

Started by the page *Quarantine*, or by *Trigger* with parameters: rows in quarantine are released, judged again or dropped; rows that the
gate holds back are accepted or discarded. Who decided and why is stored with the rows. Running it again changes nothing that is decided.
"""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import Any

from airflow.sdk import DAG, Param, get_current_context, task

from dags.defaults import PROCESS, RETRIES, RUN_TYPES
from dags.outcomes import final_errors
from schemas.config.settings import Settings, load_settings
from schemas.errors import ConfigError
from schemas.numbers import plural

LOG = logging.getLogger("dags.decide")  # Airflow gives this module another name
SETTLE, HELD = ("release", "retry", "drop"), ("accept", "discard")
NOTHING = ("null", "string")


@task(**PROCESS, execution_timeout=timedelta(hours=6))
def decide() -> str:
    """Do what was decided. Returns a sentence about what came of it."""
    from storage.outages import wait_out

    with final_errors():
        params = dict(get_current_context()["params"])
        decided = _settle if params["action"] in SETTLE else _decide_held
        sentence = wait_out(decided, params["action"], params, load_settings())
        LOG.info("%s", sentence)
        return sentence


def _settle(action: str, params: dict[str, Any], settings: Settings) -> str:
    from processing.quarantine import decisions
    from processing.quarantine.selection import QuarantineFilter

    given = {name: params[name] for name in ("crawl", "dataset", "rule", "url") if params[name]}
    wanted = QuarantineFilter(**given, ids=frozenset(params["ids"] or ()))
    if wanted.is_everything():
        raise ConfigError("Say which rows: by `ids`, or by `crawl`, `dataset`, `rule` or `url`.")
    settled = getattr(decisions, action)(wanted, params["who"], params["reason"], settings)
    counts = ", ".join(f"{count} {name}" for name, count in settled.outcomes.items() if count)
    return f"{action}: {counts or 'nothing to do'}"


def _decide_held(action: str, params: dict[str, Any], settings: Settings) -> str:
    from processing.accept import accept
    from storage.ledger.held import discard_held
    from storage.ledger.ledger import open_ledger

    run, dataset = params["run"], params["dataset"] or None
    if action == "accept":
        done = accept(run, dataset, params["who"], params["reason"], settings)
        return f"accepted: {', '.join(done.datasets) or 'it was accepted before'}"
    ledger = open_ledger(settings)
    try:
        return f"discarded: {plural(discard_held(ledger.database, run, dataset, params['who'], params['reason']), 'dataset')}"
    finally:
        ledger.close()


def decide_dags() -> dict[str, DAG]:
    """The DAG of decisions, under a key like those of `dags.loading`."""
    texts = {name: Param(None, type=list(NOTHING)) for name in ("crawl", "dataset", "rule", "url", "run")}
    with DAG(
        dag_id="decide_rows",
        description="Release, retry or drop rows in quarantine; accept or discard rows that are held back",
        doc_md=__doc__,
        schedule=None,
        max_active_runs=1,
        is_paused_upon_creation=False,
        tags={"lake"},
        default_args=RETRIES,
        params={
            "action": Param("retry", enum=[*SETTLE, *HELD]),
            "ids": Param(None, type=["null", "array"], items={"type": "string"}, description="Rows, as `quarantine list` names them"),
            **texts,
            "who": Param("", type="string"),
            "reason": Param("", type="string"),
        },
        allowed_run_types=RUN_TYPES,
        auto_register=False,
    ) as dag:
        decide()
    return {f"DAG {dag.dag_id}": dag}


if not __package__:  # as in the other files
    globals().update(decide_dags())
