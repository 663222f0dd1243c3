"""The one Airflow of the tests in this folder. It ends with the last of them: an idle one takes a quarter of a core."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from crawlhouse.airflow.stack import Stack
from schemas.config.settings import Settings
from tests.crawlhouse.live.livestack import live
from tests.warm import popen


@pytest.fixture(scope="package", autouse=True)
def starts_cold() -> Iterator[None]:
    """All of it starts as it does for a user."""
    with popen.cold():
        yield


@pytest.fixture(scope="package")
def live_stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Settings, Stack]]:
    """A project whose Airflow runs; its tests are of the xdist group `airflow`, so that there is one."""
    with live(tmp_path_factory.mktemp("live")) as running:
        yield running
