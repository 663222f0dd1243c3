"""The way through the code is a line: no module imports itself in a circle, and objects are put together by their constructors."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
ROOMS = ("schemas", "runtime", "storage", "spiders", "processing", "dags", "crawlhouse", "demo")
# Attributes of other libraries' objects that are set as their documentation, or their own code, does it.
OF_LIBRARIES = {
    "headers": "scrapy.Request",
    "request": "twisted's Failure",
    "settings": "scrapy.Spider, and scrapy's Crawler",
    "spider": "scrapy's Crawler",
    "spidercls": "scrapy's Crawler",
    "TLD_EXTRACTOR": "tldextract",
    "path": "sys",
    "_run": "asyncio.Handle",
}


def _modules(room: str) -> dict[str, ast.Module]:
    """A room's modules by name."""
    paths = sorted((ROOT / room).rglob("*.py"))
    names = (".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__") for path in paths)
    return {name: ast.parse(path.read_text(encoding="utf-8")) for name, path in zip(names, paths, strict=True)}


def _imported(tree: ast.Module, modules: Mapping[str, object]) -> Iterator[str]:
    """The modules that a module imports anywhere, also for types only, and in functions."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name in modules)
        elif isinstance(node, ast.ImportFrom) and node.module:
            names = (f"{node.module}.{alias.name}" for alias in node.names)
            yield from (name if name in modules else node.module for name in names if {name, node.module} & set(modules))


def circle(modules: dict[str, ast.Module]) -> list[str]:
    """The names of modules that import each other in a circle; none if there is no circle."""
    graph = {name: set(_imported(tree, modules)) - {name} for name, tree in modules.items()}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return [str(name) for name in error.args[1]]
    return []


def _classes(trees: Iterable[ast.Module]) -> Iterator[ast.ClassDef]:
    for tree in trees:
        yield from (node for node in ast.walk(tree) if isinstance(node, ast.ClassDef))


def _is_record(node: ast.ClassDef) -> bool:
    """Whether a class only holds data that may be changed: a dataclass that is not frozen, or a model."""
    decorators = [ast.unparse(one) for one in node.decorator_list]
    return any(one.startswith("dataclass") and "frozen=True" not in one for one in decorators) or "BaseModel" in map(
        ast.unparse, node.bases
    )


def _fields(trees: Iterable[ast.Module]) -> set[str]:
    records = (node for node in _classes(trees) if _is_record(node))
    return {one.target.id for node in records for one in node.body if isinstance(one, ast.AnnAssign) and isinstance(one.target, ast.Name)}


def _targets(tree: ast.Module) -> Iterator[ast.Attribute]:
    """The attributes that code sets on something else than `self` and `cls`."""
    for node in ast.walk(tree):
        targets = node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AugAssign | ast.AnnAssign) else []
        for target in targets:
            for one in target.elts if isinstance(target, ast.Tuple) else [target]:
                if isinstance(one, ast.Attribute) and not (isinstance(one.value, ast.Name) and one.value.id in {"self", "cls"}):
                    yield one


def set_from_outside(trees: dict[str, ast.Module], fields: set[str]) -> list[str]:
    """The places where a module sets an attribute that is no field of a record."""
    return [
        f"{name}:{target.lineno}: {ast.unparse(target)}"
        for name, tree in trees.items()
        for target in _targets(tree)
        if target.attr not in fields and target.attr not in OF_LIBRARIES
    ]


@pytest.mark.parametrize("room", ROOMS)
def test_no_modules_import_each_other_in_a_circle(room: str) -> None:
    """Not even for types only, which is how a circle is hidden."""
    assert circle(_modules(room)) == []


def test_spiders_set_no_attribute_from_outside() -> None:
    """What an object needs is given to its constructor; what happens to it later is a method."""
    spiders = _modules("spiders")
    assert set_from_outside(spiders, _fields(spiders.values())) == []


def test_a_hidden_circle_and_an_attribute_set_from_outside_are_found() -> None:
    first = ast.parse("from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from room.second import Second\n")
    second = ast.parse("import room.first\n\n\ndef connect(session: object) -> None:\n    session.download = print\n")
    modules = {"room.first": first, "room.second": second}
    assert set(circle(modules)) == {"room.first", "room.second"}
    assert set_from_outside(modules, {"name"}) == ["room.second:5: session.download"]
