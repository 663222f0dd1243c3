"""A newcomer finds the way by folder names: no folder of code holds more modules than a person takes in at a glance."""

from __future__ import annotations

import pytest

from tests import PROJECT

MOST_MODULES = 16
ROOMS = ("schemas", "runtime", "storage", "spiders", "processing", "dags", "crawlhouse", "demo", "benchmarks", "tests")


@pytest.mark.parametrize("room", ROOMS)
def test_no_folder_holds_more_than_about_fifteen_modules(room: str) -> None:
    folders = [PROJECT / room, *(path for path in (PROJECT / room).rglob("*") if path.is_dir())]
    modules = {str(folder): len([path for path in folder.glob("*.py") if path.name != "__init__.py"]) for folder in folders}

    assert modules[str(PROJECT / room)] > 0 or len(modules) > 1
    assert {folder: count for folder, count in modules.items() if count > MOST_MODULES} == {}
