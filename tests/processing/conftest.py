"""The lake's two settings: all on this machine, and all on servers."""

from __future__ import annotations

from pathlib import Path

import pytest

from schemas.config.settings import Settings


@pytest.fixture(params=["sqlite-directory", "postgresql-s3"])
def lake_settings(request: pytest.FixtureRequest, tmp_path: Path) -> Settings:
    """An empty home, once all local and once all on servers."""
    if request.param == "sqlite-directory":
        return Settings(home=tmp_path / "home", crawls=tmp_path)
    s3: Settings = request.getfixturevalue("s3_settings")
    return s3.model_copy(update={"database": request.getfixturevalue("postgres_url")})
