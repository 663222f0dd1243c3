"""`crawlhouse check` and `process` with what a user adds to `articles`: mistakes with their lines, and what is held back."""

from __future__ import annotations

from pathlib import Path

from schemas.config.crawl_file import read_crawl
from schemas.config.settings import Settings
from tests.crawlhouse.conftest import Run
from tests.processing.crawlruns import article, closed_run

SITE = "https://news.example.com"
CRAWL = """seeds: [https://news.example.com/]
expectations:
  articles:
    - {type: expect_column_values_to_not_match_regex, column: title, regex: Story 3}
"""
ARTICLES = """extends: articles
fields: {topic: string}
steps: [my_topics_of_check:add_topic]
expectations:
  - {type: expect_column_values_to_not_be_null, column: topic, severity: warning}
"""
STEP = "import pyarrow as pa\n\n\ndef add_topic(batch):\n    return batch.append_column('topic', pa.array(['news'] * batch.num_rows))\n"


def test_articles_of_ones_own(nowhere: Run, tmp_path: Path) -> None:
    settings = Settings(home=tmp_path / "var", crawls=tmp_path / "crawls")
    settings.crawls.mkdir()
    settings.datasets_folder().mkdir()
    crawl, articles = settings.crawls / "news.yaml", settings.datasets_folder() / "articles.yaml"
    (settings.crawls / "my_topics_of_check.py").write_text(STEP)
    crawl.write_text(CRAWL.replace("column: title", "column: titel"))
    articles.write_text(ARTICLES.replace("add_topic", "add_topics").replace("column: topic", "column: topics"))
    for command in (["check", "news", "--offline"], ["check"]):
        ended = nowhere(*command)
        assert ended.code == 2
        assert f"{articles}: line 3: steps.0.step: The module 'my_topics_of_check' has no function 'add_topics'" in ended.err
        assert f"{articles}: line 5: expectations.0: expect_column_values_to_not_be_null names the column 'topics'" in ended.err
    articles.write_text(ARTICLES)
    ended = nowhere("check", "news", "--offline")
    assert (ended.code, "news.yaml: line 4: expectations.articles.0: " in ended.err) == (2, True)
    crawl.write_text(CRAWL)
    assert nowhere("check", "news", "--offline").code == 0

    closed_run(settings, read_crawl(crawl), "1", [article(SITE + "/3", 3)])
    closed_run(settings, read_crawl(crawl), "2", [article(SITE + "/4", 4, 60)])
    ended = nowhere("process", "news")
    assert ended.code == 8
    held = "articles of news-20260301T120000Z-000001, 1 row: expect_column_values_to_not_match_regex(title): 1 row, expected"
    assert held in ended.err
    assert f'first from {SITE}/3 (title "Story 3' in ended.err
    assert "The gate holds back rows; everything else is published." in ended.err
    assert 'crawlhouse gate accept news-20260301T120000Z-000001 --dataset articles --reason "..."' in ended.err
    listed = " ".join(nowhere("runs").out.split())
    assert "2026-03-01 12:00 held" in listed
    assert "Rows of articles of news-20260301T120000Z-000001 are held back: expect_column" in listed
    assert nowhere("query", "SELECT url, topic FROM articles", "--format", "csv").out.split() == ["url,topic", f"{SITE}/4,news"]
    assert nowhere("process", "news").code == 0
