"""`crawlhouse init`: a first project and a first crawl, nothing overwritten."""

from __future__ import annotations

from pathlib import Path

import pytest

from schemas.config.crawl_file import read_crawl
from tests.crawlhouse.conftest import Run


def test_a_first_crawl_is_valid_and_unscheduled(nowhere: Run, tmp_path: Path) -> None:
    ended = nowhere("init", "news", "--seed", "https://example.com/feed?a=1&b='2'", "--name", "example", "--contact", "me@example.com")
    assert ended.code == 0
    crawl = read_crawl(tmp_path / "news" / "crawls" / "example.yaml")
    assert crawl.seeds[0].url == "https://example.com/feed?a=1&b='2'"
    assert (crawl.schedule, crawl.politeness.contact, crawl.politeness.robots) == (None, "me@example.com", "obey")


def test_a_project_has_its_folders(nowhere: Run, tmp_path: Path) -> None:
    assert nowhere("init", "shop").code == 0
    assert sorted(path.name for path in (tmp_path / "shop").iterdir()) == ["crawls", "dags", "datasets"]


@pytest.mark.parametrize(
    ("seed", "networks", "delay"),
    [
        ("http://127.0.0.1:8803/", ["127.0.0.1/32"], 0),
        ("http://[::1]:8803/", ["::1/128"], 0),
        ("http://10.0.0.3/", ["10.0.0.3/32"], 2),
        ("https://8.8.8.8/", [], 2),
    ],
)
def test_an_address_that_is_not_public_is_allowed(nowhere: Run, tmp_path: Path, seed: str, networks: list[str], delay: float) -> None:
    assert nowhere("init", "--seed", seed, "--contact", "me@example.com").code == 0
    crawl = read_crawl(tmp_path / "crawls" / "first.yaml")
    assert ([str(one) for one in crawl.network.allow], crawl.politeness.delay) == (networks, delay)


def test_nothing_is_overwritten(nowhere: Run, tmp_path: Path) -> None:
    (tmp_path / "crawls").mkdir()
    mine = tmp_path / "crawls" / "first.yaml"
    mine.write_text("seeds: [https://mine.example/]\n")
    ended = nowhere("init", "--seed", "https://example.com/", "--contact", "me@example.com")
    assert ended.code == 6
    assert mine.read_text() == "seeds: [https://mine.example/]\n"


def test_a_wrong_seed_a_wrong_name_and_no_contact(nowhere: Run, tmp_path: Path) -> None:
    for arguments in (
        ["--seed", "example.com", "--contact", "x"],
        ["--seed", "https://a.example", "--name", "A b", "--contact", "x"],
        ["--seed", "https://a.example"],
    ):
        ended = nowhere("init", *arguments)
        assert ended.code == 2, arguments
        assert "Traceback" not in ended.err
    assert list((tmp_path / "crawls").iterdir()) == []
