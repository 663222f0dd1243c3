"""`crawlhouse erase`: what it asks for, and how it ends. What it erases is tested in `tests.processing.erase`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from crawlhouse.actions.lake.erase import entries_of
from schemas.config.settings import make_settings
from schemas.errors import ConfigError
from storage.objects.open import open_store
from tests.crawlhouse.conftest import Run

URL = "https://news.example.com/people/jane"


def test_entries_of_each_kind() -> None:
    assert entries_of([URL], ["example.org", "*.example.net"], [f"{URL}*"]) == [URL, f"{URL}*", "example.org", "*.example.net"]
    for wrong, message in (
        ((["example.org"], [], []), "--host"),
        (([f"{URL}*"], [], []), "--pattern"),
        (([], [], [URL]), "no pattern|not a pattern"),
        (([], [URL], []), "not a host"),
        (([], [], []), "Name what is to be erased"),
    ):
        with pytest.raises(ConfigError, match=message):
            entries_of(*wrong)


def test_of_an_empty_lake_nothing_is_erased_and_the_url_is_taken_down(crawlhouse: Run, tmp_path: Path) -> None:
    home = str(tmp_path / "own")
    assert crawlhouse("erase", URL, home=home).code == 2
    assert "0 captures" in crawlhouse("erase", URL, "--dry-run", home=home).out
    store = open_store(make_settings(home=home))
    assert store.info("takedown.txt") is None
    done = crawlhouse("takedown", "add", URL, "--erase", "--reason", "a letter", "--yes", home=home)
    assert (done.code, "nothing was stored" in done.out) == (0, True)
    assert URL.encode() in store.get_bytes("takedown.txt")
    (receipt,) = (json.loads(store.get_bytes(info.key)) for info in store.list("erasures/"))
    assert (receipt["reason"], receipt["erased"], URL in json.dumps(receipt)) == ("a letter", {}, False)
