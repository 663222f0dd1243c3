"""The two kinds of store behind one fixture."""

from __future__ import annotations

from pathlib import Path

import pytest

from schemas.settings import Settings
from storage.objects import ObjectStore, open_store


@pytest.fixture(params=["directory", "s3"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> ObjectStore:
    if request.param == "s3":
        return open_store(request.getfixturevalue("s3_settings"))
    return open_store(Settings(home=tmp_path, crawls=tmp_path))
