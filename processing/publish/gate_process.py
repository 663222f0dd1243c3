"""Run an expectation suite: `python -m processing.publish.gate_process ROWS.parquet SUITE.json RESULT.json`.

Great Expectations takes hundreds of megabytes before the first row; that memory is free again when this process ends.
The exit code is 0 when the suite ran, also when expectations failed.
"""

from __future__ import annotations

import json
import os
import sys
from importlib.util import LazyLoader, find_spec, module_from_spec
from pathlib import Path
from typing import Any

os.environ["GX_ANALYTICS_ENABLED"] = "False"

LAZY_MODULES = ("altair", "scipy.stats")  # a third of the time to start; only few expectations use them
MAX_UNEXPECTED = 20
INDEX_COLUMNS = ["article_id", "version"]


def validate(rows: Path, suite: dict[str, Any]) -> dict[str, Any]:
    """The suite's result on the rows of a Parquet file, with the ids of the first unexpected rows, as plain JSON values."""
    import great_expectations as gx
    import pandas as pd
    from great_expectations.data_context.types.base import ProgressBarsConfig

    context = gx.get_context(mode="ephemeral")
    context.enable_analytics(enable=False)
    context.variables.progress_bars = ProgressBarsConfig(globally=False)
    batch = context.data_sources.add_pandas("staged").add_dataframe_asset("articles").add_batch_definition_whole_dataframe("all")
    expectations = gx.ExpectationSuite(name=suite["name"], expectations=suite["expectations"])
    result_format = {
        "result_format": "COMPLETE",
        "unexpected_index_column_names": INDEX_COLUMNS,
        "return_unexpected_index_query": False,
        "include_unexpected_rows": False,
        "partial_unexpected_count": MAX_UNEXPECTED,
    }
    found = batch.get_batch(batch_parameters={"dataframe": pd.read_parquet(rows)}).validate(expectations, result_format=result_format)
    return {"success": bool(found.success), "results": [_plain_result(result.to_json_dict()) for result in found.results]}


def import_lazily(name: str) -> None:
    """Run a module's code at the first use of one of its names, not when it is imported."""
    spec = None if name in sys.modules else find_spec(name)
    if spec is None or spec.loader is None:
        return
    spec.loader = LazyLoader(spec.loader)
    module = sys.modules[name] = module_from_spec(spec)
    spec.loader.exec_module(module)
    package, _, last = name.rpartition(".")
    if package:
        setattr(sys.modules[package], last, module)


def _plain_result(result: dict[str, Any]) -> dict[str, Any]:
    details = result.get("result", {})
    return {
        "success": result["success"],
        "type": result["expectation_config"]["type"],
        "kwargs": {name: value for name, value in result["expectation_config"]["kwargs"].items() if name != "batch_id"},
        "unexpected_count": details.get("unexpected_count"),
        "unexpected": (details.get("unexpected_index_list") or [])[:MAX_UNEXPECTED],
        "exception": _exception(result.get("exception_info", {})),
    }


def _exception(info: dict[str, Any]) -> str | None:
    """The message of a metric that raised, which only this part of a result has; flat or by metric."""
    infos = [info] if "raised_exception" in info else [value for value in info.values() if isinstance(value, dict)]
    return next((str(value.get("exception_message")) for value in infos if value.get("raised_exception")), None)


def main() -> None:
    """Run the suite and write its result."""
    for name in LAZY_MODULES:
        import_lazily(name)
    rows, suite, result = (Path(argument) for argument in sys.argv[1:4])
    suite_result = validate(rows, json.loads(suite.read_text(encoding="utf-8")))
    result.write_text(json.dumps(suite_result, indent=2, default=str), encoding="utf-8")


if __name__ == "__main__":
    main()
