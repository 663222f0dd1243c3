"""Imports Great Expectations without what judging rows never needs. That takes about two thirds of the time and of the memory."""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from importlib.util import LazyLoader, find_spec, module_from_spec
from types import ModuleType

# Great Expectations goes on without these, as where they are not installed: rows are judged as pandas frames
UNUSED = ("boto3", "botocore", "sqlalchemy")
LAZY_MODULES = ("scipy.stats",)  # only few expectations use it
CHARTS = "altair"  # only what draws results uses it


def import_great_expectations() -> ModuleType:
    """Import it, if this process has not; the module. What is left out can be imported by others afterwards."""
    if "great_expectations" not in sys.modules:
        os.environ["GX_ANALYTICS_ENABLED"] = "False"
        for name in LAZY_MODULES:
            import_lazily(name)
        with _without_collection(), _left_out(UNUSED), _placeholder(CHARTS):
            import_module("great_expectations")
    return sys.modules["great_expectations"]


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


@contextmanager
def _without_collection() -> Iterator[None]:
    """No garbage collection: it finds nothing among the many objects that an import makes."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


@contextmanager
def _left_out(names: tuple[str, ...]) -> Iterator[None]:
    """Importing these modules fails, unless this process has them already."""
    absent = [name for name in names if name not in sys.modules]
    sys.modules.update(dict.fromkeys(absent))  # type: ignore[arg-type] # None makes an import fail
    try:
        yield
    finally:
        for name in absent:
            sys.modules.pop(name, None)


@contextmanager
def _placeholder(name: str) -> Iterator[None]:
    """Importing this module gives one whose names are empty classes, unless this process has it already."""
    if name in sys.modules:
        yield
        return
    module = sys.modules[name] = _Placeholder(name)
    module.__path__ = []
    try:
        yield
    finally:
        del sys.modules[name]


class _Placeholder(ModuleType):
    def __getattr__(self, name: str) -> type:
        if name.startswith("__"):
            raise AttributeError(name)
        return type(name, (), {})
