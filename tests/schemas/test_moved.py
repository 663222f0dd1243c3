"""Former names of modules: each still imports the present module, with a warning."""

from __future__ import annotations

import importlib
import subprocess
import sys
from importlib.util import find_spec

import pytest

from schemas.moved import MOVED


def test_every_former_name_leads_to_a_module() -> None:
    for former, now in MOVED.items():
        assert find_spec(now) is not None, former


@pytest.mark.parametrize(
    ("former", "name", "now"),
    [
        ("storage.warcreader", "read_records", "storage.warc.reader"),
        ("schemas.crawlfile", "read_crawl", "schemas.config.crawl_file"),
        ("spiders.canonical", "canonicalize", "spiders.urls.canonical"),
        ("storage.frontier", "open_frontier", "storage.frontier.frontier"),  # a package now
        ("storage.lake", "open_lake", "storage.lake.lake"),
        ("processing.article", "read_article", "processing.article.article"),
    ],
)
def test_a_former_name_is_the_same_object_with_a_warning(former: str, name: str, now: str) -> None:
    if former in MOVED:
        sys.modules.pop(former, None)
    with pytest.warns(DeprecationWarning, match=now):
        found = getattr(importlib.import_module(former), name)
    module = importlib.import_module(now)
    assert found is getattr(module, name)
    assert module.__spec__ is not None
    assert module.__spec__.name == now


def test_a_name_that_never_was_is_missing() -> None:
    with pytest.raises(ImportError):
        importlib.import_module("storage.warcreaders")
    with pytest.raises(ImportError):
        exec("from storage.lake import no_such_name", {})


def test_modules_of_a_package_are_imported_as_such() -> None:
    """Also where the package was a module that has a name like theirs."""
    code = "from processing.publish import gate; print(gate.__name__)"
    done = subprocess.run([sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "processing.publish.gate"
