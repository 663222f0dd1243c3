"""Great Expectations is imported in parts: each expectation that a dataset can have is found by its name."""

from __future__ import annotations

import json
import subprocess
import sys

from processing.expectations import lean_import
from schemas.datasets.expectation_types import expectation_types


def test_every_expectation_has_a_module_of_its_name() -> None:
    modules = {name.rpartition(".")[2] for name in lean_import._modules(lean_import.EXPECTATIONS, "expect_")}

    assert len(modules) > 40
    assert set(expectation_types()) <= modules


def test_the_expectations_asked_for_are_there_later_ones_too() -> None:
    code = (
        "import json, sys; from processing.expectations.lean_import import EXPECTATIONS, import_great_expectations as load;"
        "names = ['expect_column_values_to_be_unique', 'expect_column_mean_to_be_between'];"
        "gx = load(names[:1]); first = [f'{EXPECTATIONS}.{name}' in sys.modules for name in names]; load(names);"
        "suite = gx.ExpectationSuite(name='s', expectations=[{'type': names[0], 'kwargs': {'column': 'a'}},"
        "{'type': names[1], 'kwargs': {'column': 'a', 'min_value': 0}}]);"
        "models = gx.datasource.fluent.PandasDatasource.asset_types;"
        "has_schemas = 'jsonschema.validators' in sys.modules;"
        "load(['expect_column_values_to_be_in_set']); unused = [name for name in "
        "('sqlalchemy', 'jinja2', 'asyncio', 'unittest', 'great_expectations.metrics.column.mean') if name in sys.modules];"
        "print(json.dumps([first, [type(one).__name__ for one in suite.expectations], len(models) < 5, has_schemas, unused]))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    names = ["ExpectColumnValuesToBeUnique", "ExpectColumnMeanToBeBetween"]
    assert json.loads(done.stdout) == [[True, False], names, True, False, []], "of pandas' readers it makes no models"
