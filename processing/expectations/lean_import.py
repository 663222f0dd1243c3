"""Imports Great Expectations without what judging rows never needs. That takes about two thirds of the time and of the memory."""

from __future__ import annotations

import os
import sys
from collections.abc import Collection
from contextlib import AbstractContextManager
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType

from runtime.imports import import_lazily, left_out, placeholders, stand_in, without_collection

# Great Expectations goes on without these, as where they are not installed: rows are judged as pandas frames
UNUSED = ("boto3", "botocore", "sqlalchemy")
LAZY_MODULES = ("jsonschema", "mistune", "requests", "scipy.stats")  # few expectations use them, what is drawn, and what asks servers
# Only what draws results, asks servers, or reads files and queries uses them
UNUSED_PARTS = (
    "altair",
    "great_expectations.core.http",
    "great_expectations.data_context.templates",
    "great_expectations.datasource.fluent.fabric",
    "great_expectations.render.view.view",
    "pyparsing.testing",
)
METRICS = "great_expectations.metrics"  # what can be asked of a batch without expectations: a package for each kind
METRIC_KINDS = ("batch", "column", "column_pair", "multi_column", "query")
USED_METRICS = frozenset({*METRIC_KINDS, "descriptive_stats"})  # the base class of each kind has the kind's name
EXPECTATIONS = "great_expectations.expectations.core"  # a package with a module for each expectation, of the expectation's name
SOURCES = "great_expectations.datasource.fluent"  # and one with a module for each kind of data source
READERS = "great_expectations.datasource.fluent.dynamic_pandas"  # makes a model of each function of pandas that reads files
USED_SOURCES = frozenset({"pandas_datasource", "invalid_datasource"})


def import_great_expectations(types: Collection[str] | None = None) -> ModuleType:
    """Import it, if this process has not; the module. What is left out can be imported by others afterwards.

    `types`: the names of the expectations that are going to be used, else all are imported, which takes a quarter of the time.
    """
    if "great_expectations" not in sys.modules:
        os.environ["GX_ANALYTICS_ENABLED"] = "False"
        for name in LAZY_MODULES:
            import_lazily(name)
        others = [] if types is None else _modules(EXPECTATIONS, "expect_")
        no_readers = stand_in(READERS, _generate_pandas_data_asset_models=lambda *_, **__: {})
        unused = [*UNUSED_PARTS, *_unused_sources(), *_unused_metrics(), *others]
        with without_collection(), left_out(UNUSED), no_readers, _plain_progress_bars(), placeholders(unused):
            import_module("great_expectations")
    with left_out(UNUSED):
        for name in types or ():
            import_module(f"{EXPECTATIONS}.{name}")
    return sys.modules["great_expectations"]


def _unused_sources() -> list[str]:
    """The data sources other than pandas frames: clouds, databases, Spark."""
    return [name for name in _modules(SOURCES, "") if name.endswith("_datasource") and name.rpartition(".")[2] not in USED_SOURCES]


def _unused_metrics() -> list[str]:
    found = [name for kind in METRIC_KINDS for name in _modules(f"{METRICS}.{kind}", "")]
    return [name for name in found if name.rpartition(".")[2] not in {"__init__", *USED_METRICS}]


def _plain_progress_bars() -> AbstractContextManager[None]:
    """Instead of those that look for notebooks and asyncio. Rows are judged without any."""
    return stand_in("tqdm.auto", tqdm=import_module("tqdm.std").tqdm)


def _modules(package: str, prefix: str) -> list[str]:
    """The modules of a package of Great Expectations whose names begin so. Nothing is imported."""
    spec = find_spec("great_expectations")
    if spec is None or spec.origin is None:
        return []
    folder = Path(spec.origin).parent.joinpath(*package.split(".")[1:])
    return [f"{package}.{path.stem}" for path in sorted(folder.glob(f"{prefix}*.py"))]
