"""The Python interface."""

from __future__ import annotations

from pathlib import Path

import pytest

import crawlhouse
from schemas.errors import ConfigError, NotFoundError
from tests.crawlhouse.smalllake import ARTICLE, COPY


def test_articles_in_every_library(lake_home: Path) -> None:
    house = crawlhouse.open(home=lake_home)
    assert {row["url"] for row in house.articles()} == {ARTICLE, COPY}
    assert house.articles(latest=False).arrow().num_rows == 3
    assert house.articles().polars().filter(duplicate_of="storm").collect().height == 1
    assert str(house.articles().pandas()["published_at"].dtype) == "datetime64[us, UTC]"
    assert [batch.num_rows for batch in house.runs().batches()] == [1]


def test_queries_and_their_errors(lake_home: Path) -> None:
    house = crawlhouse.open(home=lake_home)
    assert list(house.query("SELECT count(*) AS n FROM captures")) == [{"n": 4}]
    with pytest.raises(NotFoundError, match="There is no table pages"):
        house.query("SELECT * FROM pages")
    with pytest.raises(ConfigError, match="Could not convert"):
        list(house.query("SELECT title::INT FROM articles"))


def test_a_variable_of_the_caller_is_no_table(lake_home: Path) -> None:
    frame = crawlhouse.open(home=lake_home).articles().polars().collect()
    assert frame.height == 2
    with pytest.raises(NotFoundError):
        crawlhouse.open(home=lake_home).query("SELECT * FROM frame")
