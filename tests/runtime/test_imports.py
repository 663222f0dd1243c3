"""Imports that cost less: what is left out, and that it is there again afterwards."""

from __future__ import annotations

import gc
import subprocess
import sys
from importlib import import_module

import pytest

from runtime.imports import import_lazily, left_out, placeholders, stand_in, without_collection


def test_a_module_left_out_is_as_if_not_installed() -> None:
    sys.modules.pop("colorsys", None)
    with left_out(["colorsys"]), pytest.raises(ModuleNotFoundError, match="colorsys"):
        import colorsys  # noqa: F401

    import colorsys as again

    assert again.rgb_to_hsv(0, 0, 0) == (0.0, 0.0, 0)


def test_a_module_that_is_there_is_not_left_out() -> None:
    import json

    with left_out(["json"]):
        import json as again

    assert again is json


def test_a_placeholder_has_every_name_and_goes_again() -> None:
    sys.modules.pop("colorsys", None)
    with placeholders(["colorsys"]):
        from colorsys import Anything  # type: ignore[attr-defined]

    assert isinstance(Anything, type)
    import colorsys

    assert not hasattr(colorsys, "Anything")


def test_a_stand_in_has_the_given_names_and_goes_again() -> None:
    sys.modules.pop("colorsys", None)
    with stand_in("colorsys", rgb_to_hsv="another"):
        from colorsys import rgb_to_hsv

    assert str(rgb_to_hsv) == "another"
    import colorsys

    assert colorsys.rgb_to_hsv(0, 0, 0) == (0.0, 0.0, 0)


def test_collection_goes_on_afterwards() -> None:
    with without_collection():
        assert not gc.isenabled()
    assert gc.isenabled()


def test_a_lazy_module_runs_at_the_first_use_of_a_name() -> None:
    sys.modules.pop("colorsys", None)
    import_lazily("colorsys")
    import colorsys

    stands_for_it = sys.modules["colorsys"]
    assert "rgb_to_hsv" not in vars(colorsys)
    assert colorsys.rgb_to_hsv(0, 0, 0) == (0.0, 0.0, 0)
    assert sys.modules["colorsys"] is not stands_for_it

    sys.modules.pop("xml.sax.saxutils", None)
    import_lazily("xml.sax.saxutils")
    import xml.sax.saxutils as utilities

    assert "escape" not in vars(utilities)
    assert utilities.escape("<") == "&lt;"
    missing = "no_such_module"
    import_lazily(missing)
    with pytest.raises(ModuleNotFoundError):
        import_module(missing)


def _imported(code: str, names: list[str]) -> list[str]:
    """Which of the modules a new process has after some code."""
    done = subprocess.run(
        [sys.executable, "-c", f"import sys; {code}; print(*(name for name in {names} if name in sys.modules))"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    return done.stdout.split()


def test_the_command_imports_of_processing_what_every_run_needs() -> None:
    code = "from crawlhouse.actions.lake.process import _import_processing as load; load()"
    unused = ["pandas", "pyparsing", "strictyaml.ruamel", "price_parser", "processing.article.article", "selectolax"]

    assert _imported(code, ["pyarrow", *unused]) == ["pyarrow"]


def test_a_page_worker_imports_what_reads_articles() -> None:
    unused = ["pydantic", "pyarrow", "price_parser", "sqlalchemy", "processing.datasets.page_rows"]

    assert _imported("import processing.extract.reading", ["selectolax", *unused]) == ["selectolax"]
