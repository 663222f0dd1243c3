"""Expectations of definitions and of crawls: what is refused, with its line and the reason, without importing Great Expectations."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from pydantic import ValidationError

from processing.datasets.definition_check import definition_mistakes
from processing.datasets.definitions import crawl_datasets
from schemas.config.crawl_file import parse_crawl, read_crawl
from schemas.config.settings import Settings
from schemas.datasets.dataset import Dataset
from schemas.datasets.dataset_file import find_dataset, parse_dataset
from schemas.datasets.expectation import BEGINNINGS_OF_ROWS, Expectation
from schemas.datasets.expectation_check import crawl_mistakes
from schemas.datasets.expectation_types import expectation_types
from schemas.errors import ConfigError
from tests import PROJECT

GOODS = "source: {items: true}\nkey: sku\nfields: {sku: string, price: 'decimal(12,2)', tags: 'list<string>', new: boolean}\n"
CRAWL = "seeds: [https://shop.example/]\ndatasets: [articles, products]\n"


def goods(expectation: str, key: str = "expectations") -> Dataset:
    return parse_dataset(f"{GOODS}{key}:\n  - {expectation}\n", "goods", "goods.yaml")


@pytest.mark.parametrize(
    ("expectation", "message"),
    [
        (
            "{type: expect_column_values_to_be_betwen, column: price}",
            "line 5: expectations.0.type: 'expect_column_values_to_be_betwen' is no",
        ),
        ("{type: expect_column_values_to_be_betwen, column: price}", "did you mean expect_column_values_to_be_between?"),
        ("{type: expect_column_values_to_be_between, column: price, minvalue: 0}", "has no argument 'minvalue'; did you mean 'min_value'?"),
        ("{type: expect_column_values_to_be_between, column: price}", "needs 'min_value', 'max_value' or both"),
        ("{type: expect_column_values_to_be_between, column: price, min_value: 2, max_value: 1}", "no value can be between"),
        ("{type: expect_column_values_to_be_in_set, column: sku}", "needs the argument 'value_set'"),
        (
            "{type: expect_column_values_to_be_in_set, column: sku, value_set: EUR}",
            "'value_set' of expect_column_values_to_be_in_set is 'EUR'",
        ),
        ("{type: expect_column_values_to_not_be_null, column: sku, mostly: 2}", "must be a share between 0 and 1"),
        ("{type: expect_column_values_to_match_regex, column: sku, regex: '('}", "no regular expression"),
        (
            "{type: expect_column_pair_values_to_be_equal, column_A: sku, column_B: price, ignore_row_if: no}",
            "is False, but must be string",
        ),
        (
            "{type: expect_column_mean_to_be_between, column: price, max_value: 1, severity: warning}",
            "'warning' is for expect_column_values_..., expect_column_value_",
        ),
        ("{type: expect_table_columns_to_match_set, column_set: [sku]}", "cannot judge a dataset: the columns and types of a dataset"),
        ("{type: expect_column_values_to_match_like_pattern, column: sku, like_pattern: a%}", "it needs a table in an SQL database"),
    ],
)
def test_what_is_refused_says_why(expectation: str, message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        goods(expectation)
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("key", "expectation", "message"),
    [
        ("expectations", "{type: expect_column_values_to_match_regex, column: price, regex: a}", "judges texts, and 'price' is decimal128"),
        ("expectations", "{type: expect_column_mean_to_be_between, column: new, max_value: 1}", "judges numbers, and 'new' is bool"),
        (
            "expectations",
            "{type: expect_column_values_to_be_between, column: price, min_value: abc}",
            "has 'abc', which cannot be compared",
        ),
        (
            "expectations",
            "{type: expect_column_values_to_be_between, column: sku, min_value: 3}",
            "has 3, which cannot be compared with 'sku'",
        ),
        ("expectations", "{type: expect_column_max_to_be_between, column: price, max_value: '9'}", "has '9', which cannot be compared"),
        ("expectations", "{type: expect_column_values_to_be_in_set, column: new, value_set: [true, 'yes']}", "has 'yes', which cannot be"),
        ("expectations", "{type: expect_column_values_to_be_between, column: fetched_at, min_value: soon}", "has 'soon', which cannot be"),
        ("drift", "{measure: mean, column: sku}", "only numbers have a mean, and 'sku' is string"),
        ("drift", "{measure: distribution, column: tags}", "numbers, texts and booleans have a distribution, and 'tags' is list"),
    ],
)
def test_an_expectation_has_to_suit_its_column(key: str, expectation: str, message: str) -> None:
    ((location, problem),) = definition_mistakes(goods(expectation, key))
    assert location == (key, 0)
    assert message in problem


def test_articles_have_columns_of_their_own(tmp_path: Path) -> None:
    file = tmp_path / "articles.yaml"
    file.write_text("extends: articles\nexpectations:\n- {type: expect_column_values_to_not_be_null, column: titel}\n")
    ((location, problem),) = definition_mistakes(find_dataset("articles", tmp_path))
    assert location == ("expectations", 0)
    assert "names the column 'titel', which is none; did you mean 'title'?" in problem
    file.write_text("extends: articles\nexpectations:\n- {type: expect_column_values_to_not_be_null, column: title}\n")
    assert list(definition_mistakes(find_dataset("articles", tmp_path))) == []


def test_a_crawl_expects_by_dataset(tmp_path: Path) -> None:
    suite = {"name": "shop", "expectations": [{"type": "expect_column_values_to_not_be_null", "kwargs": {"column": "prize"}, "id": "1"}]}
    (tmp_path / "shop.json").write_text(json.dumps(suite))
    (tmp_path / "shop.yaml").write_text(CRAWL + "expectations:\n  products: shop.json\ndrift:\n  articles: [{measure: row_count}]\n")
    crawl = read_crawl(tmp_path / "shop.yaml")
    assert crawl.expectations["products"][0].columns() == ["prize"]
    assert crawl.drift["articles"][0].runs == 10
    datasets = {name: find_dataset(name, None) for name in crawl.datasets}
    ((location, problem),) = crawl_mistakes(datasets, crawl.expectations, crawl.drift)
    assert location == ("expectations", "products", 0)
    assert "did you mean 'price'?" in problem
    with pytest.raises(ConfigError, match=r"shop.yaml: line 4: expectations.products.0: .* names the column 'prize'"):
        crawl_datasets(crawl, Settings(home=tmp_path, crawls=tmp_path))
    with pytest.raises(ConfigError, match=r"'expectations' names 'jobs', which is none of the crawl's datasets: articles, products"):
        parse_crawl(CRAWL + "expectations: {jobs: []}\n", "shop")
    with pytest.raises(ConfigError, match=r"line 4: expectations.products: '../shop.json' is not a suite file"):
        parse_crawl(CRAWL + "expectations:\n  products: ../shop.json\n", "shop", "shop.yaml", tmp_path)


def test_the_table_is_that_of_the_installed_package() -> None:
    """If it fails: `python -m tests.processing.expectations.catalog > schemas/expectations/types.json`."""
    command = [sys.executable, "-m", "tests.processing.expectations.catalog"]
    printed = subprocess.run(command, capture_output=True, text=True, check=True, cwd=PROJECT).stdout
    assert printed == (PROJECT / "schemas" / "expectations" / "types.json").read_text(encoding="utf-8")
    assert len(expectation_types()) > 30


def test_great_expectations_is_not_imported() -> None:
    code = "import sys, schemas.config.crawl_file, processing.expectations.expectations\n"
    code += "assert not {'great_expectations', 'pandas'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True, cwd=PROJECT)


@pytest.mark.parametrize(
    "expectation",
    [
        "{type: expect_column_values_to_be_between, column: price, min_value: 0.5, max_value: 3}",
        "{type: expect_column_values_to_be_between, column: sku, min_value: a, max_value: z}",
        "{type: expect_column_values_to_be_between, column: fetched_at, min_value: 2026-01-01, max_value: '2027-01-01 10:00:00'}",
        "{type: expect_column_values_to_be_in_set, column: new, value_set: [true, null]}",
        "{type: expect_column_values_to_not_be_in_set, column: sku, value_set: [x, 'y']}",
    ],
)
def test_values_of_the_columns_type_are_compared(expectation: str) -> None:
    assert list(definition_mistakes(goods(expectation))) == []


def test_what_a_message_names_by_its_beginning_reports_rows() -> None:
    named = [one for name, one in expectation_types().items() if name.startswith(BEGINNINGS_OF_ROWS)]
    assert all(one.reports_rows for one in named)
    with pytest.raises(ValidationError, match=r"expect_select_column_values_to_be_unique_within_record \["):
        Expectation.model_validate({"type": "expect_column_mean_to_be_between", "column": "price", "min_value": 1, "severity": "warning"})
