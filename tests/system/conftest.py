"""Each test of this folder is a system test, stays in one process with those of its file, and starts all that it needs cold."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.warm import popen

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what is collected here; a file's tests share what it installs."""
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.system)
            item.add_marker(pytest.mark.xdist_group(item.path.stem))


@pytest.fixture(scope="package", autouse=True)
def starts_cold() -> Iterator[None]:
    """All of it starts as it does for a user."""
    with popen.cold():
        yield
