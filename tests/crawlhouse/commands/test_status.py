"""`crawlhouse status`, `runs` and `doctor`: where nothing runs, and of a home with runs in several states; `frontier` of one crawl."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from schemas.config.crawl import Crawl
from schemas.config.crawl_file import parse_crawl
from schemas.config.settings import Settings
from schemas.runs import CrawlRun
from spiders.run import close, plan
from storage.frontier.frontier import open_frontier
from storage.frontier.records import Discovery
from tests.crawlhouse.conftest import Ended, Run, clean_environment, run_command

STRICT = "seeds: [https://a.example/]\nthresholds: {min_pages: 5}\n"


@pytest.fixture
def home(tmp_path: Path) -> Settings:
    """An open run of `calm`, and a closed one of `strict` that missed its threshold."""
    settings = Settings(home=tmp_path / "var", crawls=tmp_path / "crawls")
    settings.crawls.mkdir()
    (settings.crawls / "strict.yaml").write_text(STRICT, encoding="utf-8")
    (settings.crawls / "calm.yaml").write_text("seeds: [https://b.example/]\nschedule: '@daily'\ntimezone: Asia/Tokyo\n", encoding="utf-8")
    plan(parse_crawl("seeds: [https://b.example/]", "calm"), "1", settings)
    missed = plan(parse_crawl(STRICT, "strict"), "1", settings).crawl_run
    with pytest.raises(Exception, match="min_pages"):
        close(missed, settings)
    return settings


def command(settings: Settings, *arguments: str) -> Ended:
    env = clean_environment(home=str(settings.home), crawls=str(settings.crawls))
    return run_command(*arguments, env=env, cwd=settings.crawls.parent)


def test_the_last_runs_and_what_became_of_them(home: Settings) -> None:
    listed = command(home, "runs", "--format", "jsonl")
    calm, strict = (json.loads(line) for line in listed.out.splitlines())
    assert (listed.code, calm["crawl"], calm["state"], calm["due"]) == (0, "calm", "fetching", None)
    assert (strict["state"], strict["ended_as"], strict["due"], strict["left_over"]) == ("missed", "left_over", 1, 1)
    shown = command(home, "runs", "strict")
    assert strict["crawl_run"] in shown.out
    assert "fewer than thresholds.min_pages = 5" in shown.out
    assert calm["crawl_run"] not in shown.out
    assert command(home, "runs", "other").code == 3
    status = command(home, "status")
    assert "@daily Asia/Tokyo  last run" in status.out
    assert "missed, 0 fetched" in status.out


def test_a_doctor_finds_what_is_broken(home: Settings) -> None:
    (home.home / "spool" / "gone-1" / "w1").mkdir(parents=True)
    found = command(home, "doctor", "--format", "json")
    health = {one["part"]: one["health"] for one in json.loads(found.out)}
    assert found.code == 0
    assert {health.pop(part) for part in ("versions", "database", "store", "clock", "disks", "crawl files")} == {"ok"}
    assert (health["spools"], health["Airflow"]) == ("warning", "absent")
    (home.crawls / "broken.yaml").write_text("seeds: {\n", encoding="utf-8")
    sick = command(home, "doctor")
    assert sick.code == 2
    assert "broken.yaml is not YAML" in " ".join(sick.out.split())


def test_a_doctor_names_a_database_that_does_not_answer(tmp_path: Path) -> None:
    (tmp_path / "crawls").mkdir()
    env = clean_environment(home=str(tmp_path / "var"), database="postgresql://nobody:geheim@127.0.0.1:9/none")
    found = run_command("doctor", env=env, cwd=tmp_path)
    assert found.code == 4
    assert "does not answer" in found.out
    assert "geheim" not in found.out + found.err
    assert not (tmp_path / "var").exists()


def test_the_crawl_of_the_frontier_is_named_with_or_without_its_option(sqlite_settings: Settings, tmp_path: Path) -> None:
    frontier = open_frontier(sqlite_settings)
    for name in ("one", "two"):
        crawl = Crawl.model_validate({"name": name, "seeds": ["https://a.example/"]})
        frontier.plan(CrawlRun(f"{name}-1", crawl, "1", datetime.now(UTC), "1", "hash"), [Discovery(f"https://{name}.example/")])
    frontier.close()
    env = clean_environment(home=str(sqlite_settings.home))
    for words in (["one"], ["--crawl", "one"], ["one", "--crawl", "one"]):
        listed = run_command("frontier", "list", *words, "--format", "json", env=env, cwd=tmp_path)
        assert [url["url"] for url in json.loads(listed.out)["urls"]] == ["https://one.example/"]
    assert run_command("frontier", "list", "one", "--crawl", "two", env=env, cwd=tmp_path).code == 2
    assert run_command("frontier", "pause", "two", env=env, cwd=tmp_path).err.startswith("1 URL paused")


def test_nothing_runs(nowhere: Run, tmp_path: Path) -> None:
    (tmp_path / "crawls").mkdir()
    (tmp_path / "crawls" / "good.yaml").write_text("seeds: [https://a.example/]\nschedule: '@daily'\n")
    (tmp_path / "crawls" / "bad.yaml").write_text("seeds: {\n")
    ended = nowhere("status")
    assert ended.code == 0
    assert nowhere("status", "--health").code == 3
    assert "not running" in ended.out
    assert "@daily UTC  never ran" in ended.out
    assert "bad.yaml is not YAML" in ended.err
    assert nowhere("down").code == 0
    assert not (tmp_path / "var").exists()


def test_no_password_is_shown(nowhere: Run, tmp_path: Path) -> None:
    (tmp_path / "crawls").mkdir()
    ended = nowhere("status", "-f", "json", database="postgresql://me:geheim@db/lake")
    found = json.loads(ended.out)
    assert (ended.code, found["airflow"], found["last_runs"]) == (0, None, {})
    assert "The last runs cannot be read" in ended.err
    assert "geheim" not in ended.err
    assert found["places"]["database"] == "postgresql://me:***@db/lake"
