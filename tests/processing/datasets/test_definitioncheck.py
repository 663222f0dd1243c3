"""A definition before it is used: selectors, defaults and functions that cannot work are named with their lines."""

from pathlib import Path

import pytest

from processing.datasets.definition_check import check_definition
from schemas.datasets.dataset_file import find_dataset, read_dataset, ready_names
from schemas.errors import ConfigError

TEXT = """source:
  selectors:
    sku: '.sku['
    price: {css: .price, type: 'decimal(12,2)'}
key: sku
fields:
  price:
    default: call us
steps:
  - no_such_module_of_a_user:add
"""


def test_all_mistakes_have_their_lines(tmp_path: Path) -> None:
    path = tmp_path / "goods.yaml"
    path.write_text(TEXT)
    with pytest.raises(ConfigError) as caught:
        check_definition(read_dataset(path), path, [str(tmp_path)])
    lines = str(caught.value).splitlines()
    assert [line.removeprefix(f"{path}: ")[: len(start)] for line, start in zip(lines, _STARTS, strict=True)] == _STARTS


_STARTS = [
    "line 3: source.selectors.sku.css: '.sku[' is not a CSS selector",
    "line 8: fields.price.default: 'call us' is not a number",
    "line 10: steps.0.step: There is no module 'no_such_module_of_a_user'",
]


def test_what_is_right_passes(tmp_path: Path) -> None:
    path = tmp_path / "goods.yaml"
    path.write_text(TEXT.replace(".sku[", ".sku").replace("call us", "'12.50'").replace("no_such_module_of_a_user:add", "json:dumps"))
    check_definition(read_dataset(path), path)
    for name in ready_names():
        check_definition(find_dataset(name, None), None)
