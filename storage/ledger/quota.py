"""The quota: crawls stop before the archive is larger than the settings allow, and before a disk is full."""

from __future__ import annotations

import shutil
import time
from pathlib import Path

from schemas.config.settings import Settings
from storage.ledger.ledger import Ledger, open_ledger
from storage.objects.open import open_store
from storage.warc.removed_segments import read_removed

CHECK_SECONDS = 2.0  # between two checks; chosen: little is written meanwhile, and the check itself is cheap


class Quota:
    """Checks at most every CHECK_SECONDS. Once it is reached, it stays reached."""

    def __init__(self, settings: Settings, ledger: Ledger | None = None) -> None:
        self._settings = settings
        self._ledger = ledger or open_ledger(settings)
        self._checked_at = -CHECK_SECONDS
        self._reached = False

    def is_reached(self) -> bool:
        """Whether nothing more may be fetched. Raises UnavailableError, StorageError."""
        now = time.monotonic()
        if not self._reached and now - self._checked_at >= CHECK_SECONDS:
            self._checked_at = now
            self._reached = self._is_full() or self._is_archive_full()
        return self._reached

    def _is_full(self) -> bool:
        folders = [self._settings.home] if "://" in self._settings.store_url() else [self._settings.home, Path(self._settings.store_url())]
        return any(free_bytes(folder) < self._settings.min_free_bytes for folder in folders)

    def _is_archive_full(self) -> bool:
        quota = self._settings.quota_bytes
        return quota > 0 and self._ledger.archived_bytes(read_removed(open_store(self._settings))) >= quota


def free_bytes(folder: Path) -> int:
    """How many bytes a user may still write on the disk of a folder. The folder need not exist yet."""
    while not folder.exists():
        folder = folder.parent
    return shutil.disk_usage(folder).free
