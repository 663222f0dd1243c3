"""What many crawls have in common, in files whose names begin with _."""

from __future__ import annotations

from pathlib import Path

import pytest

from schemas.config.crawl_file import find_crawl, parse_crawl, read_crawl, read_crawls
from schemas.errors import ConfigError, NotFoundError

SEEDS = "seeds: [https://a.example/]\n"


def write(folder: Path, **files: str) -> None:
    for name, text in files.items():
        (folder / f"{name}.yaml").write_text(text, encoding="utf-8")


def test_the_nearest_file_has_precedence_and_mappings_are_merged(tmp_path: Path) -> None:
    write(
        tmp_path,
        _defaults="politeness: {delay: 5, contact: me@a.example}\ntags: [all]\nschedule: '@daily'\n",
        _press="extends: _slow\nrevisit: {feeds_max: 2}\ntags: [press]\n",
        _slow="politeness: {delay: 9, timeout: 60}\nrevisit: {feeds_max: 7, hubs_max: 8}\n",
        news=f"{SEEDS}extends: _press\npoliteness: {{delay: 1}}\n",
        other=SEEDS,
    )
    news, other = read_crawl(tmp_path / "news.yaml"), read_crawl(tmp_path / "other.yaml")
    assert (news.politeness.delay, news.politeness.timeout, news.politeness.contact) == (1, 60, "me@a.example")
    assert (news.revisit.feeds_max, news.revisit.hubs_max, news.tags, news.schedule) == (2, 8, ("press",), "@daily")
    assert (other.politeness.delay, other.tags, other.name) == (5, ("all",), "other")
    crawls, broken = read_crawls(tmp_path)
    assert (sorted(crawls), broken) == (["news", "other"], {})
    with pytest.raises(NotFoundError, match=r"There are: news, other\."):
        find_crawl("absent", tmp_path)


def test_a_mistake_is_reported_in_the_file_where_it_stands(tmp_path: Path) -> None:
    write(tmp_path, _defaults="tags: [all]\npolitness: {delay: 5}\n", news=SEEDS)
    with pytest.raises(ConfigError, match=r"_defaults.yaml: line 2: unknown key 'politness': did you mean 'politeness'"):
        read_crawl(tmp_path / "news.yaml")
    write(tmp_path, _defaults="tags: [all]\n")
    assert read_crawl(tmp_path / "news.yaml").tags == ("all",)  # a file that was corrected is read again
    write(tmp_path, _defaults="name: news\n")
    with pytest.raises(ConfigError, match=r"_defaults\.yaml: line 1: a crawl is named by its file"):
        read_crawl(tmp_path / "news.yaml")


@pytest.mark.parametrize(
    ("extends", "problem"),
    [
        ("_absent", "There is no crawl file .*_absent.yaml"),
        ("news", "'news' is no file with what crawls share"),
        ("../_x", "is no file with what crawls share"),
        ("[_x]", "is no file with what crawls share"),
        ("_round", "_round -> _other -> _round never ends"),
    ],
)
def test_what_cannot_be_extended(tmp_path: Path, extends: str, problem: str) -> None:
    write(tmp_path, news=f"{SEEDS}extends: {extends}\n", _round="extends: _other\n", _other="extends: _round\n")
    with pytest.raises((ConfigError, NotFoundError), match=problem):
        read_crawl(tmp_path / "news.yaml")


def test_a_text_without_a_folder_builds_on_nothing() -> None:
    assert parse_crawl(f"{SEEDS}extends: null\n", "news").seeds
    with pytest.raises(ConfigError, match="is no file with what crawls share"):
        parse_crawl(f"{SEEDS}extends: _press\n", "news")
