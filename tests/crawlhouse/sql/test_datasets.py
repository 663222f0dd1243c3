"""Readers of users' datasets: the Python interface, the data dictionary and the changes since a publish."""

from __future__ import annotations

import json
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

import crawlhouse as package
from crawlhouse.reports.dictionary import dictionary_page
from crawlhouse.sql import changes as changesmodule
from schemas.errors import ConfigError, NotFoundError
from schemas.tables import TABLES
from tests import PROJECT
from tests.crawlhouse.conftest import Run
from tests.crawlhouse.shoplake import NOON, publish_shop


@pytest.fixture(scope="module")
def shop_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with published products; tests only read it."""
    home = tmp_path_factory.mktemp("shop") / "home"
    publish_shop(home)
    return home


def test_tables_by_name_host_and_time(shop_home: Path) -> None:
    house = package.open(shop_home)
    assert house.table("products").arrow().num_rows == 4
    latest = {row["row_id"]: row["price"] for row in house.table("products", latest=True)}
    assert latest == {"a.example/x": Decimal("1.75"), "a.example/y": Decimal("2.00"), "b.example/x": Decimal("9.99")}
    assert [row["sku"] for row in house.table("products", host="B.example")] == ["x"]
    for since in (NOON + timedelta(days=2), date(2026, 1, 3), "2026-01-03"):
        assert [row["price"] for row in house.table("products", since=since)] == [Decimal("1.75")]
    assert house.captures().arrow().num_rows == 0
    assert [row["rule"] for row in house.quarantine("products")] == ["price"]
    assert [row["rule"] for row in house.quarantine("articles")] == ["too_short"]
    assert house.quarantine().arrow().num_rows == 2
    assert house.table("runs", since="2200-01-01").arrow().num_rows == 0
    assert house.table("sightings", since=NOON + timedelta(days=3)).arrow().num_rows == 2


def test_what_no_table_has_is_refused(shop_home: Path) -> None:
    house = package.open(shop_home)
    with pytest.raises(NotFoundError, match="There is no table prices"):
        house.table("prices")
    with pytest.raises(ConfigError, match="names no table"):
        house.table('x" UNION SELECT 1 --')
    with pytest.raises(ConfigError, match="has no hosts"):
        house.table("runs", host="a.example")
    assert house.table("products", host="' OR '' = '").arrow().num_rows == 0
    with pytest.raises(ConfigError, match=r"Could not convert|invalid timestamp"):
        list(house.table("products", since="soon"))


def test_parameters_of_a_query(shop_home: Path) -> None:
    house = package.open(shop_home)
    by_name = house.query("SELECT sku FROM products WHERE price > $least AND host = $host", {"least": 1.6, "host": "a.example"})
    assert sorted(row["sku"] for row in by_name) == ["x", "y"]
    assert list(house.query("SELECT ? + 1 AS n", [1])) == [{"n": 2}]
    for sql, parameters in (("SELECT ?", None), ("SELECT 1", [1]), ("SELECT $a", {"b": 1})):
        with pytest.raises(ConfigError):
            house.query(sql, parameters)


@pytest.mark.parametrize("kept", [True, False])
def test_rows_are_read_again_and_beside_others(shop_home: Path, kept: bool) -> None:
    house = package.open(shop_home)
    rows = house.__enter__().table("products") if kept else house.table("products")
    pairs = [(one["row_id"], other["row_id"]) for one in rows for other in rows]
    assert len(pairs) == 16
    assert rows.polars().collect().height == 4
    assert rows.arrow().num_rows == len(list(rows)) == 4
    by_parameter = house.query("SELECT a.range AS n FROM range(5000) AS a WHERE n < $n", {"n": 3_000})
    assert by_parameter.arrow().num_rows == by_parameter.arrow().num_rows == 3_000
    house.__exit__()


def test_a_house_that_keeps_its_connection_shows_one_state(tmp_path: Path) -> None:
    home = tmp_path / "home"
    publish_shop(home)
    with package.open(home) as house:
        house.articles()
        connection = house._connection
        rows = house.query("SELECT current_setting('TimeZone') AS zone, current_setting('python_enable_replacements') AS replaces")
        assert list(rows) == [{"zone": "UTC", "replaces": False}]
        frame = house.runs().polars().collect()
        assert frame.height == 3
        with pytest.raises(NotFoundError):
            house.query("SELECT * FROM frame")
        with pytest.raises(ConfigError, match="only"):
            house.query("SELECT * FROM read_csv('/etc/passwd')")
        assert house._connection is connection
    assert house.runs().arrow().num_rows == 3, "after the block a connection is opened for each query"
    with pytest.raises(ConfigError, match="The lake was closed"):
        list(rows)


def test_an_article_of_a_page() -> None:
    places = ("hills", "harbour", "market", "station", "river", "museum")
    sentence = "The storm came over the {0} at noon. It left the {0} without light, and the mayor said that the {0} would wait for help."
    text = "".join(f"<p>{sentence.format(place)}</p>" for place in places)
    html = f"<html><head><title>Storm</title></head><body><article><h1>Storm over town</h1>{text}</article></body></html>"
    article = package.extract(html, "https://a.example/2026/01/01/storm-over-town")
    assert article is not None
    assert (article.title, len(article.blocks) >= 6) == ("Storm over town", True)
    assert package.extract("<html></html>", "https://a.example/") is None


def test_changes_since_a_publish(shop_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    house = package.open(shop_home)

    def short(since: int, table: str | None = None) -> list[tuple[str, str, int, str]]:
        return [(one["table"], one["change"], one["sequence"], one["row_id"]) for one in house.changes(since, table)]

    everything = short(0)
    assert sorted(everything[:1]) == [("articles", "added", 2, "article_id")]
    assert sorted(everything[1:4]) == [("products", "added", 1, f"{host}.example/{sku}") for host, sku in ("ax", "ay", "bx")]
    assert everything[4:] == [
        ("products", "changed", 2, "a.example/x"),
        ("products", "gone", 2, "a.example/y"),
        ("products", "back", 3, "a.example/y"),
    ]
    monkeypatch.setattr(changesmodule, "SORTED_ROWS", 1)
    assert sorted(short(0)) == sorted(everything)
    assert short(2) == [("products", "back", 3, "a.example/y")]
    assert short(1, "articles") == [("articles", "added", 2, "article_id")]
    assert short(3) == []
    with house, pytest.raises(NotFoundError, match=r"no dataset 'runs' to follow\. There are: articles, products"):
        list(house.changes(0, "runs"))


def test_the_command_prints_changes_as_lines(crawlhouse: Run, shop_home: Path) -> None:
    ended = crawlhouse("changes", "--since", "1", "--table", "products", home=str(shop_home))
    changed, gone, back = map(json.loads, ended.out.splitlines())
    assert (changed["change"], changed["row"]["price"], changed["row"]["fetched_at"]) == ("changed", 1.75, "2026-01-03T12:00:00+00:00")
    assert gone["gone_at"] == "2026-01-03T12:00:00+00:00"
    assert back["seen_at"] == "2026-01-04T12:00:00+00:00"
    assert crawlhouse("changes", "--since", "0", "--table", "nothing", home=str(shop_home)).code == 3
    assert crawlhouse("changes", home=str(shop_home)).code == 2


def test_the_tables_and_their_columns(crawlhouse: Run, shop_home: Path) -> None:
    listed = [json.loads(line) for line in crawlhouse("tables", "-f", "jsonl", home=str(shop_home)).out.splitlines()]
    assert {one["name"] for one in listed} == {*TABLES, "articles_latest", "products", "products_latest"}
    assert next(one for one in listed if one["name"] == "products")["description"] == "What the shops ask for their goods."
    columns = {one["column"]: one for one in json.loads(crawlhouse("tables", "products_latest", "-f", "json", home=str(shop_home)).out)}
    price = {"type": "DECIMAL(8,2)", "unit": "as in currency", "source": "the dataset's source", "description": "The price with tax."}
    assert columns["price"] == {"column": "price"} | price
    assert columns["weight"]["unit"] == "kg"
    assert columns["gone_at"]["type"] == "TIMESTAMP WITH TIME ZONE"
    assert "row_id" in crawlhouse("tables", "products", home=str(shop_home)).out
    missing = crawlhouse("tables", "prices", home=str(shop_home))
    assert (missing.code, "There are: articles, articles_latest, captures, products" in missing.err) == (3, True)


def test_the_dictionary_of_a_lake_is_that_of_its_views(crawlhouse: Run, shop_home: Path) -> None:
    for name in (*TABLES, "articles_latest", "products", "products_latest"):
        described = [json.loads(line) for line in crawlhouse("tables", name, "-f", "jsonl", home=str(shop_home)).out.splitlines()]
        rows = package.open(shop_home).query(f"DESCRIBE {name}")
        assert {one["column"]: one["type"] for one in described} == {row["column_name"]: row["column_type"] for row in rows}
        assert [one["column"] for one in described if not one["description"] and one["column"] not in {"currency", "weight"}] == []


def test_without_a_lake_the_built_in_tables_are_described(crawlhouse: Run, tmp_path: Path) -> None:
    listed = json.loads(crawlhouse("tables", "-f", "json", home=str(tmp_path)).out)
    assert {one["name"] for one in listed} == {*TABLES, "articles_latest"}


def test_describe_shows_all_rows(crawlhouse: Run, shop_home: Path) -> None:
    described = crawlhouse("query", "describe articles", home=str(shop_home))
    assert (described.err, all(f" {name} " in f" {described.out} " for name in TABLES["articles"].names)) == ("", True)
    assert "The first 2 rows" in crawlhouse("query", "DESCRIBE articles", "--rows", "2", home=str(shop_home)).err


def test_the_page_of_the_tables_is_what_it_is_made_from() -> None:
    page = (PROJECT / "docs" / "tables.md").read_text(encoding="utf-8")
    assert page == dictionary_page(), "run `python -m crawlhouse.reports.dictionary`"
