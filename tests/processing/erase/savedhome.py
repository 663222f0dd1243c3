"""A home with its store and its database as they are now, to be laid again and again: on this machine, or on servers."""

from __future__ import annotations

import shutil
from pathlib import Path

from sqlalchemy import create_engine, make_url, text

from schemas.config.settings import Settings
from storage.objects.open import open_store


class SavedHome:
    """A copy of everything that a home has. No connection to its database may be open when it is saved or restored."""

    def __init__(self, settings: Settings, folder: Path) -> None:
        """`folder` does not exist yet, and is not in the home."""
        self._settings, self._folder = settings, folder
        shutil.copytree(settings.home, folder, symlinks=True)
        self._objects: dict[str, bytes] = {}
        if settings.store:
            store = open_store(settings)
            self._objects = {info.key: store.get_bytes(info.key) for info in store.list("") if not info.key.endswith("/")}
        if settings.database:
            self._copy_database(self._name(), f"{self._name()}_saved")

    def restore(self) -> None:
        """Make the home what it was."""
        shutil.rmtree(self._settings.home)
        shutil.copytree(self._folder, self._settings.home, symlinks=True)
        if self._settings.store:
            store = open_store(self._settings)
            for key in [info.key for info in store.list("") if info.key not in self._objects and not info.key.endswith("/")]:
                store.delete(key)
            for key, data in self._objects.items():
                store.put_bytes(key, data)
        if self._settings.database:
            self._copy_database(f"{self._name()}_saved", self._name())

    def _name(self) -> str:
        return make_url(self._settings.database).database or ""

    def _copy_database(self, source: str, target: str) -> None:
        url = make_url(self._settings.database_url("frontier")).set(database="postgres")
        admin = create_engine(url, isolation_level="AUTOCOMMIT")
        with admin.connect() as connection:
            connection.execute(text(f"DROP DATABASE IF EXISTS {target} WITH (FORCE)"))
            ended = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = :name"
            connection.execute(text(ended), {"name": source})
            connection.execute(text(f"CREATE DATABASE {target} TEMPLATE {source}"))
        admin.dispose()
