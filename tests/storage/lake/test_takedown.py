"""The takedown list: what its entries cover, and that no entry is lost."""

import threading

import pytest

from schemas.config.settings import Settings
from schemas.errors import ConfigError, NotFoundError
from storage.database.locks import hold_lock
from storage.lake.takedown import KEY, add_takedowns, list_takedowns, parse_takedowns, read_takedowns, remove_takedown
from storage.objects.open import open_store
from storage.upgrade import UPGRADE_KEY

ENTRIES = [
    "https://example.com/a/story?id=1",
    "http://example.com/people/*",
    "gone.example",
    "busy.example:8080",
    "*.wide.example",
    "münchen.example",
]


@pytest.mark.parametrize(
    ("url", "covered"),
    [
        ("https://example.com/a/story?id=1", True),
        ("http://example.com/a/story?id=1", True),
        ("https://example.com/a/%73tory?id=1", True),
        ("https://example.com/a/story?id=12", False),
        ("https://example.com/a/story", False),
        ("https://example.com/people/", True),
        ("https://example.com/people/jane?x=1", True),
        ("https://example.com/peoples", False),
        ("https://example.com:8443/people/jane", False),
        ("https://gone.example/", True),
        ("https://gone.example:8080/x", True),
        ("https://www.gone.example/", False),
        ("https://gone.example.org/", False),
        ("https://busy.example:8080/x", True),
        ("https://busy.example/x", False),
        ("https://wide.example/", True),
        ("https://a.b.wide.example/x", True),
        ("https://notwide.example/", False),
        ("https://xn--mnchen-3ya.example/x", True),
    ],
)
def test_what_entries_cover(url: str, covered: bool) -> None:
    assert parse_takedowns(ENTRIES).covers(url) is covered


def test_an_empty_list_covers_nothing(sqlite_settings: Settings) -> None:
    takedowns = read_takedowns(open_store(sqlite_settings))
    assert not takedowns
    assert not takedowns.covers("https://example.com/")


@pytest.mark.parametrize(
    "entry", ["", "example.com/path", "https://", "https://example.com/*/x", "ftp://example.com/", "two words", "https://a b/", "*"]
)
def test_lines_that_are_no_entries(entry: str, sqlite_settings: Settings) -> None:
    store = open_store(sqlite_settings)
    with pytest.raises(ConfigError, match="cannot be taken down"):
        add_takedowns(sqlite_settings, store, ["example.com", entry])
    assert list_takedowns(store) == []


def test_adding_and_removing_keep_what_people_wrote(settings: Settings) -> None:
    store = open_store(settings)
    store.put_bytes(KEY, b"# asked for by letter\nexample.com  # 2026-03-01\nhttps://example.org/#/a/*")
    assert add_takedowns(settings, store, ["example.com", "gone.example", "gone.example"]) == 1
    assert list_takedowns(store) == ["example.com", "https://example.org/#/a/*", "gone.example"]
    remove_takedown(settings, store, "example.com")
    assert store.get_bytes(KEY) == b"# asked for by letter\nhttps://example.org/#/a/*\ngone.example\n"
    with pytest.raises(NotFoundError, match=r"example\.com"):
        remove_takedown(settings, store, "example.com")
    add_takedowns(settings, store, ["HTTP://A.example:80/%78#1", "https://a.example/x", "http://a.example/x/y"])
    remove_takedown(settings, store, "http://a.example/x")
    assert list_takedowns(store) == ["https://example.org/#/a/*", "gone.example", "http://a.example/x/y"], "all with the same meaning"
    with pytest.raises(ConfigError, match="names no host"):
        add_takedowns(settings, store, ["https://*"])


def test_adding_at_the_same_time_loses_nothing(settings: Settings) -> None:
    store = open_store(settings)
    wanted = [f"host{n}.example" for n in range(8)]
    threads = [threading.Thread(target=add_takedowns, args=(settings, store, [entry])) for entry in wanted]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(list_takedowns(store)) == wanted


def test_an_upgrade_does_not_block_the_list(settings: Settings) -> None:
    with hold_lock(settings, UPGRADE_KEY, 0, "upgrading"):
        add_takedowns(settings, open_store(settings), ["example.com"])
    assert list_takedowns(open_store(settings)) == ["example.com"]
