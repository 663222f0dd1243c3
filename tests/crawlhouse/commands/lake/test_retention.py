"""`crawlhouse retention`: what crawls keep no longer is counted by crawl and table."""

from __future__ import annotations

from pathlib import Path

from tests.crawlhouse.conftest import Run


def test_what_is_counted(crawlhouse: Run, tmp_path: Path) -> None:
    crawls = tmp_path / "crawls"
    crawls.mkdir()
    (crawls / "papers.yaml").write_text("seeds: [https://a.example/]\n")
    none = crawlhouse("retention", crawls=str(crawls))
    assert (none.code, "No crawl has a `retention`." in none.err) == (0, True)
    (crawls / "papers.yaml").write_text("seeds: [https://a.example/]\nretention: {articles: 30, warc: 90}\n")
    counted = crawlhouse("retention", "papers", crawls=str(crawls))
    assert counted.code == 0
    cells = [line.split() for line in counted.out.splitlines() if "papers" in line]
    assert [(line[0], line[1], line[-1]) for line in cells] == [("papers", "articles", "0"), ("papers", "warc", "0")]
    assert crawlhouse("retention", "nobody", crawls=str(crawls)).code == 3


def test_a_table_that_the_crawl_does_not_fill_is_refused(crawlhouse: Run, tmp_path: Path) -> None:
    (tmp_path / "papers.yaml").write_text("seeds: [https://a.example/]\nretention: {prices: 30}\n")
    refused = crawlhouse("retention", "papers", crawls=str(tmp_path))
    assert refused.code == 2
    assert "'retention' names 'prices', which is none of articles, quarantine, warc" in refused.err.replace("\n", " ")
