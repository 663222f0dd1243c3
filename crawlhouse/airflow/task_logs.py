"""The logs of Airflow's tasks in crawlhouse's own store, so that the UI shows them whichever machine a task ran on.

Use it by AIRFLOW__LOGGING__LOGGING_CONFIG_CLASS=crawlhouse.airflow.task_logs.LOGGING_CONFIG. It writes with CRAWLHOUSE_STORE and its
credentials, below `airflow-logs/`. Airflow's own S3 logs need the Amazon provider. As soon as that is installed, each process that makes an
Asset imports boto3: measured, 0.3 s of CPU more for each task and each reading of a DAG file.
"""

from __future__ import annotations

import logging
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from airflow.config_templates.airflow_local_settings import DEFAULT_LOGGING_CONFIG

from schemas.keys import TASK_LOGS

if TYPE_CHECKING:
    from storage.objects.store import ObjectStore

LOG = logging.getLogger(__name__)
LOGGING_CONFIG = DEFAULT_LOGGING_CONFIG


class StoreLogs:
    """Airflow's `RemoteLogIO` on an object store. `folder` is where tasks write their logs on this machine."""

    processors: tuple[Any, ...] = ()  # Any: structlog's processors, of which this needs none

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder

    def upload(self, path: os.PathLike[str] | str, ti: object = None) -> None:
        """Store a task's log, which has ended, and remove the local file. An error is only logged: the file stays then."""
        local = self._local_folder() / path
        try:
            if not local.is_file():
                return
            store, key = _store(), _key(path)
            store.put_bytes(key, _joined(store, key, local.read_bytes()))
            local.unlink(missing_ok=True)
        except Exception as error:
            LOG.warning("The log %s stays on this machine: %s", local, error)

    def read(self, relative_path: str, ti: object = None) -> tuple[list[str], list[str] | None]:
        """Where a log is, and its text; None if the store has none (yet)."""
        try:
            store, key = _store(), _key(relative_path)
            if store.info(key) is None:
                return [], None
            return [key], [store.get_bytes(key).decode("utf-8", errors="replace")]
        except Exception as error:
            return [f"The store cannot be read: {error}"], None

    def _local_folder(self) -> Path:
        if self._folder is None:
            from airflow.sdk.configuration import conf

            self._folder = Path(str(conf.get("logging", "base_log_folder")))
        return self._folder


def _store() -> ObjectStore:
    from schemas.config.settings import load_settings
    from storage.objects.open import open_store

    return open_store(load_settings())


def _key(path: os.PathLike[str] | str) -> str:
    return f"{TASK_LOGS}{Path(path).as_posix()}"


def _joined(store: ObjectStore, key: str, log: bytes) -> bytes:
    """A log behind what the same attempt wrote on another machine, before its task was put off."""
    earlier = store.get_bytes(key) if store.info(key) is not None else b""
    return log if log.startswith(earlier) else earlier + log


REMOTE_TASK_LOG = StoreLogs()
