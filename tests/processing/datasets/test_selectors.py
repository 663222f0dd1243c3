"""Rows by selectors on a page: CSS and XPath, attributes, patterns, lists, and several rows a page."""

import random
from typing import Any

import pytest

from processing.datasets.page_view import PageView
from processing.datasets.selectors import SelectorReader, selector_mistakes
from schemas.datasets.dataset import Dataset
from schemas.datasets.dataset_file import parse_dataset
from schemas.page import Page

PAGE = """<html><head><title>Shop</title><base href="/base/"></head><body>
<h1> A <b>thing</b><script>not seen</script> </h1>
<ul><li class=p data-sku=1><a href="a">One</a><span class=price content="1.50">1,50 €</span><i>red</i><i>blue</i></li>
<li class=p data-sku=2><a href="/b">Two</a><span class=price content="2">2 €</span></li>
<li class=p></li></ul>
<table><tr><th>Name<tr><td>x<td>7<tr><td>y<td>8</table>
<script id=data>{"stock": 12}</script><p class=code>Code: AB-77 / x</p><p class=ort>Größe: 42</p>
</body></html>"""


def _dataset(selectors: str, rest: str = "key: url\n") -> Dataset:
    return parse_dataset(f"source:\n  selectors:\n{selectors}{rest}", "things")


def _rows(dataset: Dataset, html: str = PAGE) -> list[dict[str, Any]]:
    return list(SelectorReader(dataset).rows(PageView(Page("https://shop.example/list", html))))


def test_a_page_is_one_row() -> None:
    dataset = _dataset(
        "    name: h1\n    title: title\n    link: {css: a, attr: href}\n    code: {css: .code, regex: 'Code: (\\S+)'}\n"
        "    size: {css: .ort, regex: '\\d+'}\n    stock: {css: '#data', regex: '\"stock\": (\\d+)', type: integer}\n"
        "    colours: {css: i, type: list<string>}\n    missing: {css: .no, default: none}\n"
    )
    assert _rows(dataset) == [
        {
            "name": "A thing", "title": "Shop", "link": "https://shop.example/base/a", "code": "AB-77", "size": "42", "stock": "12",
            "colours": ["red", "blue"], "missing": "none",
        }
    ]  # fmt: skip


def test_a_page_without_any_of_it_has_no_row() -> None:
    assert _rows(_dataset("    name: .no\n    kind: {css: .neither, default: thing}\n")) == []


def test_each_is_a_row() -> None:
    dataset = _dataset(
        "    sku: {attr: data-sku}\n    name: a\n    price: {css: .price, attr: content, type: 'decimal(12,2)'}\n"
        "    colours: {css: i, type: list<string>}\n",
        "  each: li.p\nkey: sku\n",
    )
    assert _rows(dataset) == [
        {"sku": "1", "name": "One", "price": "1.50", "colours": ["red", "blue"]},
        {"sku": "2", "name": "Two", "price": "2", "colours": None},
    ]


def test_each_by_xpath() -> None:
    dataset = _dataset("    name: {xpath: 'td[1]'}\n    number: {xpath: 'number(td[2])', type: float}\n", "  each: //tr[td]\nkey: name\n")
    assert _rows(dataset) == [{"name": "x", "number": "7.0"}, {"name": "y", "number": "8.0"}]


def test_xpath_beside_css() -> None:
    dataset = _dataset(
        "    name: //h1\n    first: a\n    link: {xpath: '//a', attr: href}\n    texts: {xpath: '//i/text()', type: list<string>}\n"
    )
    assert _rows(dataset) == [{"name": "A thing", "first": "One", "link": "https://shop.example/base/a", "texts": ["red", "blue"]}]


@pytest.mark.parametrize(
    "html", ["", " ", "<", "<?xml version='1.0' encoding='utf-16'?><p>x</p>", "\x00", "<p>" * 5_000, "<!---->", "\ud800<p>x"]
)
def test_any_page_can_be_read(html: str) -> None:
    for selectors in ("    name: p\n", "    name: //p\n"):
        assert len(_rows(_dataset(selectors), html)) <= 1


def test_mistakes_are_found_before_a_page_is_read() -> None:
    dataset = _dataset("    a: 'p['\n    b: '//p['\n    c: p.good\n    d: {css: 'p:contains(x)'}\n", "key: a\n")
    assert dataset.source is not None
    mistakes = dict(selector_mistakes(dataset.source))
    assert list(mistakes) == [("selectors", "a", "css"), ("selectors", "b", "xpath"), ("selectors", "d", "css")]
    assert "is not XPath" in mistakes["selectors", "b", "xpath"]
    assert "is jQuery's" in mistakes["selectors", "d", "css"]


def _random_html(chance: random.Random, depth: int = 0) -> str:
    inner = "".join(_random_html(chance, depth + 1) for _ in range(chance.randint(1, 4))) if depth < 5 else ""
    tag, name = chance.choice("bi"), chance.choice(("", " class=x", " class='x y'", " id=z data-n=1"))
    return f"<{tag}{name}>{chance.randint(0, 99)}{inner}</{tag}>"


@pytest.mark.parametrize("each", ["b", ".x", "b.x > i", "i i", "b, .y", "i:first-child"])
def test_one_query_for_the_page_finds_what_one_for_each_row_finds(each: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also of rows in one another, and of elements that several selectors find."""
    fields = ["b", "i.x", ".y", "i, .x", "[data-n]", "b:first-child", "*", "b i", "i:nth-child(2), b"]
    selectors = "".join(f"    f{number}: {{css: '{css}', type: list<string>}}\n" for number, css in enumerate(fields))
    dataset = _dataset(selectors, f"  each: '{each}'\nkey: url\n")
    chance = random.Random(each)
    for html in [_random_html(chance) for _ in range(20)]:
        rows = _rows(dataset, html)
        with monkeypatch.context() as patch:
            patch.setattr("processing.datasets.selectors.FEW_ROWS", 10**6)
            assert _rows(dataset, html) == rows


def test_an_element_that_several_selectors_find_is_one_value() -> None:
    dataset = _dataset("    words: {css: 'i, li.p i', type: list<string>}\n")
    assert _rows(dataset) == [{"words": ["red", "blue"]}]
