"""The spiders' tests crawl the demo site's own process."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from tests.closedruns import closed_runs_hold
from tests.demosite import demo_site
from tests.spiders.owncrawls import newsstand
from tests.spiders.smallserver import SmallServer, small_server

__all__ = ["closed_runs_hold", "demo_site"]


@pytest.fixture
def at(monkeypatch: pytest.MonkeyPatch) -> Callable[[SmallServer], None]:
    """Tells the spiders where their site is."""
    return lambda server: monkeypatch.setenv("OWN_SPIDER_BASE", server.base)


@pytest.fixture
def stand(at: Callable[[SmallServer], None]) -> Iterator[SmallServer]:
    with small_server(newsstand) as server:
        at(server)
        yield server
