"""The settings for commands that look at what is stored, or change it: a home in which nothing was crawled is not made by looking at it."""

from __future__ import annotations

from schemas.config.settings import Settings, load_settings
from schemas.errors import NotFoundError


def load_existing_home() -> Settings:
    """The settings, if there is a database. Raises NotFoundError if there is none, and what `load_settings` raises."""
    settings = load_settings()
    if not settings.database and not settings.database_file("frontier").exists():
        raise NotFoundError(
            f"Nothing was crawled in {settings.home} yet. `crawlhouse crawl NAME` begins; or set CRAWLHOUSE_HOME to the home that you mean."
        )
    return settings
