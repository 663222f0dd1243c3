"""Imports that cost less: what is left out, and that it is there again afterwards."""

from __future__ import annotations

import gc
import subprocess
import sys

import pytest

from runtime.imports import left_out, placeholders, without_collection


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


def test_collection_goes_on_afterwards() -> None:
    with without_collection():
        assert not gc.isenabled()
    assert gc.isenabled()


def test_processing_is_imported_by_the_command_without_pandas() -> None:
    code = (
        "import sys; from crawlhouse.actions.lake.process import _import_processing as load; load();"
        "import pyarrow as pa; print(pa.array([1, None]).to_pylist(), 'pandas' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.split("\n")[0] == "[1, None] False"
