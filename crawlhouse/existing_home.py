"""The settings for commands that look at what is stored, or change it: a home in which nothing was crawled is not made by looking at it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from runtime.scratch import scratch_folder
from schemas.config.settings import Settings, load_settings
from schemas.errors import NotFoundError


def load_existing_home() -> Settings:
    """The settings, if there is a database. Raises NotFoundError if there is none, and what `load_settings` raises."""
    settings = load_settings()
    if not _exists(settings):
        raise NotFoundError(
            f"Nothing was crawled in {settings.home} yet. `crawlhouse crawl NAME` begins; or set CRAWLHOUSE_HOME to the home that you mean."
        )
    return settings


@contextmanager
def home_or_empty_one() -> Iterator[Settings]:
    """The settings. Where nothing was crawled yet, an empty home stands in for the missing one, and is removed at the end."""
    settings = load_settings()
    if _exists(settings):
        yield settings
        return
    with scratch_folder() as folder:
        yield settings.model_copy(update={"home": folder, "store": settings.store_url()})


def _exists(settings: Settings) -> bool:
    return bool(settings.database) or settings.database_file("frontier").exists()
