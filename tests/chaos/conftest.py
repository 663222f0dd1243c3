"""The chaos tests crawl the demo site's own process; what they kill starts as it does for a user."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.closedruns import closed_runs_hold
from tests.demosite import demo_site
from tests.warm import popen

__all__ = ["closed_runs_hold", "demo_site"]


@pytest.fixture(scope="package", autouse=True)
def starts_cold() -> Iterator[None]:
    with popen.cold():
        yield
