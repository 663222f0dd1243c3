"""A fixture for both kinds of object store."""

from __future__ import annotations

from pathlib import Path

import pytest

from schemas.config.settings import Settings
from storage.objects.open import open_store
from storage.objects.store import ObjectStore


@pytest.fixture(params=["directory", "s3"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> ObjectStore:
    if request.param == "s3":
        return open_store(request.getfixturevalue("s3_settings"))
    return open_store(Settings(home=tmp_path, crawls=tmp_path))
