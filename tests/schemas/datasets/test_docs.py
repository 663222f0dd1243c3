"""The definition in docs/datasets.md is one that can be used."""

from __future__ import annotations

import re
from decimal import Decimal
from pathlib import Path

import pyarrow as pa

from processing.datasets.definition_check import check_definition
from processing.datasets.functions import load_function
from schemas.datasets.dataset_file import read_dataset
from schemas.page import Page
from tests import PROJECT


def test_the_definition_in_the_docs_works(tmp_path: Path) -> None:
    blocks = re.findall(r"```yaml\n(.*?)```", (PROJECT / "docs" / "datasets.md").read_text(encoding="utf-8"), re.DOTALL)
    (definition,) = [block for block in blocks if block.startswith("description:")]
    path = tmp_path / "offers.yaml"
    path.write_text(definition, encoding="utf-8")
    check_definition(read_dataset(path), path)


def test_the_step_and_the_articles_in_the_docs_work(tmp_path: Path) -> None:
    text = (PROJECT / "docs" / "datasets.md").read_text(encoding="utf-8")
    (step,) = [block for block in re.findall(r"```python\n(.*?)```", text, re.DOTALL) if "def add_category" in block]
    (tmp_path / "my_documented_steps.py").write_text(step, encoding="utf-8")
    (articles,) = [block for block in re.findall(r"```yaml\n(.*?)```", text, re.DOTALL) if "extends: articles" in block]
    path = tmp_path / "articles.yaml"
    path.write_text(articles.replace("my_topics:add_topic", "my_documented_steps:add_category"), encoding="utf-8")
    check_definition(read_dataset(path), path, [str(tmp_path)])
    add_category = load_function("my_documented_steps:add_category", [str(tmp_path)])
    batch = pa.record_batch({"price": pa.array([Decimal("1.00"), Decimal("200.00")], pa.decimal128(12, 2))})
    assert add_category(batch)["category"].to_pylist() == ["daily", "luxury"]


def test_the_function_in_the_docs_works(tmp_path: Path) -> None:
    text = (PROJECT / "docs" / "datasets.md").read_text(encoding="utf-8")
    (function,) = [block for block in re.findall(r"```python\n(.*?)```", text, re.DOTALL) if "def read_offers" in block]
    (tmp_path / "my_documented_function.py").write_text(function, encoding="utf-8")
    read_offers = load_function("my_documented_function:read_offers", [str(tmp_path)])
    page = Page("https://shop.example/", "<ul><li>Kettle: 1.299,00 \u20ac</li><li>Cup: 4</li></ul>")
    assert list(read_offers(page)) == [{"name": "Kettle", "price": " 1.299,00 \u20ac"}, {"name": "Cup", "price": " 4"}]
