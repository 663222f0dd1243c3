"""Imports that cost less: of a large package, without the parts that this process never uses."""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module
from importlib.abc import MetaPathFinder
from importlib.util import find_spec
from types import ModuleType

BLAS_THREADS = "OPENBLAS_NUM_THREADS"


def import_lazily(name: str) -> None:
    """Run a module's code at the first use of one of its names, not when it is imported.

    The package that it is in is imported now. The LazyLoader of the standard library runs the code when another module imports it.
    """
    if name in sys.modules or find_spec(name) is None:
        return
    module = sys.modules[name] = _Lazy(name)
    package, _, last = name.rpartition(".")
    if package:
        setattr(sys.modules[package], last, module)


@contextmanager
def without_collection() -> Iterator[None]:
    """No garbage collection: it finds nothing among the many objects that an import makes."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


@contextmanager
def one_blas_thread() -> Iterator[None]:
    """NumPy that is imported in this block starts no threads for linear algebra, so that the process can fork. A setting holds."""
    before = os.environ.get(BLAS_THREADS)
    os.environ.setdefault(BLAS_THREADS, "1")
    try:
        yield
    finally:
        if before is None:
            os.environ.pop(BLAS_THREADS, None)


@contextmanager
def left_out(names: Collection[str]) -> Iterator[None]:
    """Importing these modules fails as if they were not installed, unless this process has them already."""
    finder = _NotFound(frozenset(names))
    sys.meta_path.insert(0, finder)
    try:
        yield
    finally:
        sys.meta_path.remove(finder)


@contextmanager
def placeholders(names: Collection[str]) -> Iterator[None]:
    """Importing one of these modules gives one whose names are empty classes, unless this process has it already."""
    absent = [name for name in names if name not in sys.modules]
    sys.modules.update({name: _Placeholder(name) for name in absent})
    try:
        yield
    finally:
        for name in absent:
            sys.modules.pop(name, None)


@contextmanager
def stand_in(name: str, **names: object) -> Iterator[None]:
    """Importing a module gives one that has these names alone, unless this process has it already."""
    if name in sys.modules:
        yield
        return
    sys.modules[name] = module = ModuleType(name)
    vars(module).update(names)
    try:
        yield
    finally:
        sys.modules.pop(name, None)


class _NotFound(MetaPathFinder):
    def __init__(self, names: frozenset[str]) -> None:
        self._names = names

    def find_spec(self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None) -> None:
        if fullname in self._names:
            raise ModuleNotFoundError(f"{fullname} is left out", name=fullname)


class _Lazy(ModuleType):
    """Stands for a module until one of its names is used."""

    def __getattr__(self, name: str) -> object:
        if name.startswith("__") and name != "__path__":  # the import system asks for those of each module
            raise AttributeError(name)
        if sys.modules.get(self.__name__) is self:
            del sys.modules[self.__name__]
        return getattr(import_module(self.__name__), name)


class _Placeholder(ModuleType):
    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.__path__: list[str] = []

    def __getattr__(self, name: str) -> type:
        if name.startswith("__"):
            raise AttributeError(name)
        return type(name, (), {})
