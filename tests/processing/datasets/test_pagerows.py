"""The rows of a page: patterns, functions of the user's, errors as values, and the way back from a page worker."""

import sys
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest

from processing.datasets.functions import load_function
from processing.datasets.page_rows import MAX_ROWS, PageReader, read_rows
from processing.datasets.page_view import PageView
from processing.datasets.rows import arrow_values
from processing.workers.pool import run_limited
from schemas.datasets.dataset import Dataset
from schemas.datasets.dataset_file import find_dataset, parse_dataset
from schemas.datasets.page_rows import PageRows
from schemas.errors import ConfigError, NotFoundError, SpiderError
from schemas.page import Page
from tests.processing.datasets.pageworkers import Result, Work

HTML = "<h1>Thing</h1><p class=price>1.299,00 €</p>"
SELECTORS = "source: {selectors: {name: h1, price: {css: .price, type: 'decimal(12,2)'}}}\nkey: url\nmatch: ['/p/']\n"
FUNCTIONS = """
from dataclasses import dataclass
from decimal import Decimal

@dataclass
class Thing:
    name: str
    price: Decimal

def things(page):
    yield Thing("one", Decimal("1.50"))
    yield {"name": page.url, "price": "2,50 €"}
    yield None

def one(page):
    return {"name": "one"}

def none(page):
    return None

def text(page):
    return "a text"

def numbers(page):
    return [1]

def broken(page):
    yield {"name": "one"}
    raise KeyError("no price")

def endless(page):
    while True:
        yield {"name": "x"}

not_a_function = 1
"""


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[str]:
    (tmp_path / "page_functions_of_a_user.py").write_text(FUNCTIONS)
    (tmp_path / "broken_module_of_a_user.py").write_text("import nothing_of_this_name\n")
    before = list(sys.path)
    yield str(tmp_path)
    sys.path[:] = before
    sys.modules.pop("page_functions_of_a_user", None)


def _dataset(function: str) -> Dataset:
    return parse_dataset(
        f"source: {{function: 'page_functions_of_a_user:{function}'}}\nkey: name\nfields: {{name: string, price: 'decimal(12,2)'}}\n",
        "things",
    )


def _view(url: str = "https://shop.example/p/1", html: str = HTML) -> PageView:
    return PageView(Page(url, html))


def test_a_page_and_its_url() -> None:
    reader = PageReader(parse_dataset(SELECTORS, "things"))
    (row,) = reader.rows(_view()).rows
    assert row.values == {"name": "Thing", "price": "1299.00"}
    assert reader.rows(_view("https://shop.example/other")) == PageRows("things")
    assert reader.matches("https://shop.example/p/2")


def test_rows_of_a_function(folder: str) -> None:
    rows = PageReader(_dataset("things"), [folder]).rows(_view()).rows
    assert [(row.values["name"], row.values["price"]) for row in rows] == [("one", "1.50"), ("https://shop.example/p/1", "2.50")]
    assert len(PageReader(_dataset("one"), [folder]).rows(_view()).rows) == 1
    assert PageReader(_dataset("none"), [folder]).rows(_view()) == PageRows("things")


@pytest.mark.parametrize(
    ("function", "error"),
    [
        ("broken", "KeyError: 'no price' (page_functions_of_a_user.py, line 29)"),
        ("text", "TypeError: the function gave a str, not rows"),
        ("numbers", "TypeError: the function gave a int, not a row"),
        ("endless", f"more than {MAX_ROWS:,} rows on one page"),
    ],
)
def test_what_a_function_does_wrong_is_a_value(folder: str, function: str, error: str) -> None:
    found = PageReader(_dataset(function), [folder]).rows(_view())
    assert found.rows == []
    assert (found.error or "").startswith(error)


def test_functions_that_are_not_there(folder: str) -> None:
    with pytest.raises(NotFoundError, match="no function 'missing'"):
        load_function("page_functions_of_a_user:missing", [folder])
    with pytest.raises(ConfigError, match="is no function, but a int"):
        load_function("page_functions_of_a_user:not_a_function", [folder])
    with pytest.raises(NotFoundError, match="no module 'no_such_module_of_a_user'"):
        load_function("no_such_module_of_a_user:x", [folder])
    with pytest.raises(SpiderError, match="nothing_of_this_name"):
        load_function("broken_module_of_a_user:x", [folder])


def test_rows_come_back_from_a_page_worker(folder: str) -> None:
    datasets = (parse_dataset(SELECTORS, "goods"), _dataset("things"), _dataset("broken"))
    missing = parse_dataset("source: {function: 'no_such_module_of_a_user:x'}\nkey: a\nfields: {a: string}\n", "missing")
    definitions = tuple(dataset.model_dump_json() for dataset in (*datasets, missing))
    work = Work(Page("https://shop.example/p/1", HTML), definitions, (folder,))
    ((_, found),) = run_limited([work], "tests.processing.datasets.pageworkers.read", workers=1, results=(Result,))
    assert isinstance(found, Result)
    assert found.rows == read_rows(_view(), definitions, (folder,))
    assert [len(one.rows) for one in found.rows] == [1, 2, 0, 0]
    assert found.rows[2].error == "KeyError: 'no price' (page_functions_of_a_user.py, line 29)"
    assert "There is no module" in (found.rows[3].error or "")
    assert arrow_values(datasets[0], found.rows[0].rows[0]) == {"name": "Thing", "price": Decimal("1299.00")}


def test_all_ready_made_datasets_share_one_parse() -> None:
    view = _view(html="<p>nothing</p>")
    definitions = [find_dataset(name, None).model_dump_json() for name in ("products", "jobs", "events", "recipes")]
    assert [one.rows for one in read_rows(view, definitions)] == [[], [], [], []]
