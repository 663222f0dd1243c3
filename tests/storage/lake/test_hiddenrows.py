"""The views do not show what is taken down by URL, prefix, host or canonical URL, in a directory and in S3, until the entry is removed."""

from __future__ import annotations

from pathlib import Path

import pytest

from schemas.config.settings import Settings
from storage.lake.lake import open_lake
from storage.lake.query import connect
from storage.lake.takedown import add_takedowns, remove_takedown
from storage.objects.open import open_store
from tests.storage.lakerows import table_of

A, PERSON, OTHER, GONE, COPY = (
    "https://a.example/story?id=1",
    "https://a.example/people/jane%20doe",
    "https://a.example/peoples",
    "https://www.gone.example:8443/x",
    "https://mirror.example/1",
)
ALL = {A, PERSON, OTHER, GONE, COPY}
VIEWS = ("articles", "articles_latest", "quarantine", "captures")
CANONICAL = {COPY: "https://original.example/1"}


@pytest.fixture(params=["directory", "s3"])
def filled(request: pytest.FixtureRequest, tmp_path: Path) -> Settings:
    """A lake with an article, a quarantined row and a capture of each URL."""
    settings: Settings = (
        request.getfixturevalue("s3_settings") if request.param == "s3" else Settings(home=tmp_path / "home", crawls=tmp_path)
    )
    with open_lake(settings) as lake:
        for name in ("captures", "quarantine", "articles"):
            rows = [{"process_run": "p1", "url": url, "article_id": url} for url in sorted(ALL)]
            if name != "captures":
                rows = [row | {"canonical_url": CANONICAL.get(row["url"])} for row in rows]
            lake.append(name, [table_of(name, *rows)], "p1")
        lake.append("runs", [table_of("runs", {"process_run": "p1"})], "p1")
    return settings


def shown(settings: Settings) -> dict[str, set[str]]:
    """The URLs in each view."""
    with connect(settings) as lake:
        assert [name for (name,) in lake.sql("SHOW TABLES").fetchall()] == sorted([*VIEWS, "runs", "sightings"])
        assert lake.sql("SELECT current_setting('allowed_directories')").fetchall() == [([],)]
        return {table: {row[0] for row in lake.sql(f"SELECT url FROM {table}").fetchall()} for table in VIEWS}


HIDES: dict[str, set[str]] = {
    "http://a.example/story?id=1": {A},
    "https://a.example/people/*": {PERSON},
    "a.example": {A, PERSON, OTHER},
    "*.gone.example": {GONE},
    "gone.example": set(),
    "https://original.example/1": {COPY},
    "elsewhere.example": set(),
}


@pytest.mark.servers_in_chaos
def test_what_an_entry_hides(filled: Settings) -> None:
    store = open_store(filled)
    for entry, hidden in HIDES.items():
        add_takedowns(filled, store, [entry], "a letter\nof two lines")
        assert shown(filled) == dict.fromkeys(VIEWS, ALL - hidden), entry  # a capture follows its article's canonical URL
        remove_takedown(filled, store, entry)
    assert shown(filled) == dict.fromkeys(VIEWS, ALL)
    with connect(filled) as lake:
        assert lake.sql("SELECT count(*) FROM runs").fetchall() == [(1,)]
