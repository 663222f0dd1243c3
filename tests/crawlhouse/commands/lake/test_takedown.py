"""`crawlhouse takedown`: added with a reason, listed, no longer shown, taken off again."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from schemas.config.settings import make_settings
from storage.objects.open import open_store
from tests.crawlhouse.conftest import Run
from tests.crawlhouse.smalllake import ARTICLE, COPY, publish_small_lake

COUNT = "SELECT count(*) AS n FROM articles"


@pytest.fixture
def own_home(tmp_path: Path) -> str:
    """A small lake that a test may change."""
    publish_small_lake(tmp_path / "own")
    return str(tmp_path / "own")


def test_add_list_and_remove(crawlhouse: Run, own_home: str) -> None:
    assert crawlhouse("query", COUNT, "--format", "csv", home=own_home).out == "n\n3\n"
    added = crawlhouse("takedown", "add", ARTICLE, "*.elsewhere.example", "--reason", "letter of   the author", home=own_home)
    assert (added.code, added.out) == (0, "")
    assert "2 added" in added.err
    assert crawlhouse("query", COUNT, "--format", "csv", home=own_home).out == "n\n1\n"
    again = crawlhouse("takedown", "add", ARTICLE, COPY, home=own_home)
    assert "1 added to the takedown list. 1 on it already." in again.err
    listed = json.loads(crawlhouse("takedown", "list", "--format", "json", home=own_home).out)
    assert [entry["entry"] for entry in listed] == [ARTICLE, "*.elsewhere.example", COPY]
    assert listed[0]["reason"].endswith(" letter of the author")
    assert crawlhouse("takedown", "list", "--format", "jsonl", home=own_home).out.splitlines() == [json.dumps(one) for one in listed]
    assert ARTICLE in crawlhouse("takedown", "list", home=own_home).out
    assert crawlhouse("takedown", "remove", ARTICLE, COPY, home=own_home).code == 0
    assert crawlhouse("query", COUNT, "--format", "csv", home=own_home).out == "n\n3\n"


def test_show_no_longer_shows_it(crawlhouse: Run, own_home: str) -> None:
    assert crawlhouse("show", ARTICLE, home=own_home).code == 0
    crawlhouse("takedown", "add", ARTICLE, home=own_home)
    shown = crawlhouse("show", ARTICLE, home=own_home)
    assert shown.code == 3
    assert f"{ARTICLE} is taken down. `crawlhouse takedown list`" in shown.err


def test_mistakes(crawlhouse: Run, own_home: str) -> None:
    wrong = crawlhouse("takedown", "add", "example.com", "example.com/path", home=own_home)
    assert (wrong.code, wrong.out) == (2, "")
    assert "cannot be taken down" in wrong.err
    assert "Nothing is taken down." in crawlhouse("takedown", "list", home=own_home).err
    missing = crawlhouse("takedown", "remove", "example.com", home=own_home)
    assert missing.code == 3
    open_store(make_settings(home=own_home)).put_bytes("takedown.txt", b"example.com/path\n")
    assert crawlhouse("query", COUNT, home=own_home).code == 2
