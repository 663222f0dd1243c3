"""Names of libraries that promise nothing about them. When a new version lacks one, this says which, before anything else fails."""

from __future__ import annotations

import ast
import asyncio
import inspect
import json
import re
import tomllib
from asyncio import events
from collections.abc import Iterable, Iterator
from importlib import import_module
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests import PROJECT

PYPROJECT = tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))
ROOMS = [PROJECT / room for room in PYPROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]]
LIBRARIES = {"aiohttp": "aiohttp", "airflow": "apache-airflow", "duckdb": "duckdb", "pyiceberg": "pyiceberg", "scrapy": "scrapy"}

# Where each is defined, and what we take it for. A private name of a library that is used and is not here fails below.
NAMES = {
    "pyiceberg.io.pyarrow:_determine_partitions": "divides rows by the table's partitions",
    "pyiceberg.io.pyarrow:_to_requested_schema": "gives rows the table's schema, with the ids of its fields",
    "pyiceberg.table.update:_apply_table_update": "changes a table's metadata, without a copy of the whole",
    "pyiceberg.table.update:_TableMetadataUpdateContext": "what the changes before it were",
    "pyiceberg.table.update:_update_table_metadata_log": "lists the metadata before them",
    "pyiceberg.catalog.sql:SqlCatalog._parse_metadata_version": "the number in the name of a table's metadata",
    "pyiceberg.catalog.sql:SqlCatalog._write_metadata": "writes them",
    "pyiceberg.catalog.sql:SqlCatalog._delete_old_metadata": "deletes those that a table no longer lists",
    "pyiceberg.catalog.sql:IcebergTables.metadata_location": "the pointer that a commit moves",
    "pyiceberg.catalog.sql:IcebergTables.previous_metadata_location": "the pointer before it",
    "aiohttp:TCPConnector._get": "where a connection comes back for the next request",
    "aiohttp:TCPConnector._release": "where a connection goes to rest",
    "aiohttp.client_proto:ResponseHandler.set_response_params": "a request follows",
    "aiohttp.client_proto:ResponseHandler.data_received": "bytes from the wire",
    "aiohttp:ClientResponse.start": "where the peer's address is still known",
    "airflow.executors.local_executor:LocalExecutor.start": "where the local executor forks its workers",
    "airflow.executors.local_executor:LocalExecutor.is_mp_using_fork": "whether it forks them",
    "airflow.api_fastapi.core_api.security:requires_access_view": "closes our pages to those who may not see the UI",
    "airflow.api_fastapi.auth.managers.models.resource_details:AccessView.WEBSITE": "likewise",
    "scrapy.core.downloader.handlers.base:BaseDownloadHandler": "the interface of download handlers",
    "scrapy.core.scheduler:BaseScheduler": "the interface of schedulers",
    "scrapy:Spider._parse": "the callback of a request that names none",
    "asyncio.events:Handle._run": "tells the meter of benchmarks about each callback",
    "re._parser:parse": "the grammar of a pattern without compiling it",
}
ATTRIBUTES = {  # of instances
    "pyiceberg.table:Transaction": ("_table", "_requirements", "_updates"),
    "aiohttp:TCPConnector": ("_conns", "_factory", "_loop"),
    "aiohttp.client_proto:ResponseHandler": ("_buffer", "_tail", "_parser", "_payload", "_loop", "transport"),
}
ARGUMENTS = {
    "pyiceberg.table.update:_apply_table_update": ["update", "base_metadata", "context"],
    "pyiceberg.table.update:_update_table_metadata_log": ["base_metadata", "metadata_location", "last_updated_ms"],
    "pyiceberg.catalog.sql:SqlCatalog._parse_metadata_version": ["metadata_location"],
    "pyiceberg.catalog.sql:SqlCatalog._write_metadata": ["metadata", "io", "metadata_path"],
    "aiohttp:TCPConnector._get": ["self", "key", "traces"],
    "aiohttp:TCPConnector._release": ["self", "key", "protocol", "should_close"],
}


def _gone(name: str) -> str:
    library = LIBRARIES.get(re.split("[.:]", name, maxsplit=1)[0])
    release = f"{library} {version(library)}" if library else "This Python"
    return f"{release} has no {name} as we use it. Adapt the code, or lower the upper bound in pyproject.toml."


def _found(name: str) -> object:
    module, _, path = name.partition(":")
    if module.startswith("airflow."):
        return _defined(module, path.split("."))
    found: object = import_module(module)
    for part in path.split("."):
        found = getattr(found, part)
    return found


def _defined(module: str, path: list[str]) -> object:
    """A definition in the source of a module, which is not imported: Airflow takes seconds, and wants a home first."""
    package, *rest = module.split(".")
    spec = find_spec(package)
    if spec is None:
        raise ImportError(module)
    body: list[ast.stmt] = ast.parse(next(_sources(spec.submodule_search_locations or [], rest)).read_bytes()).body
    found: ast.stmt | None = None
    for part in path:
        named = (node for node in body if part in {getattr(node, "name", None), *_assigned(node)})
        found = next(named, None)
        if found is None:
            raise AttributeError(f"{module}:{part}")
        body = getattr(found, "body", [])
    return found


def _sources(folders: Iterable[str], module: list[str]) -> Iterator[Path]:
    yield from (path for folder in folders if (path := Path(folder, *module).with_suffix(".py")).exists())
    raise ImportError(".".join(module))


def _assigned(node: ast.stmt) -> list[str]:
    targets = node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
    return [target.id for target in targets if isinstance(target, ast.Name)]


@pytest.mark.parametrize("name", NAMES)
def test_a_private_name_is_still_there(name: str) -> None:
    try:
        found = _found(name)
    except (ImportError, AttributeError):
        pytest.fail(_gone(name))
    if name in ARGUMENTS:
        assert list(inspect.signature(found).parameters) == ARGUMENTS[name], _gone(name)  # type: ignore[arg-type]


def test_private_attributes_of_instances_are_still_there() -> None:
    async def attributes() -> dict[str, object]:
        from aiohttp import TCPConnector
        from aiohttp.client_proto import ResponseHandler

        connector = TCPConnector()
        made = {"aiohttp:TCPConnector": connector, "aiohttp.client_proto:ResponseHandler": ResponseHandler(asyncio.get_running_loop())}
        await connector.close()
        return made

    made = asyncio.run(attributes())
    for name, wanted in ATTRIBUTES.items():
        known = inspect.getsource(_found(name)) if name not in made else ""  # type: ignore[arg-type]
        for attribute in wanted:
            is_there = (
                hasattr(made[name], attribute) if name in made else re.search(rf"\bself\.{attribute}\b|^    {attribute}:", known, re.M)
            )
            assert is_there, _gone(f"{name}.{attribute}")


def test_duckdb_still_tells_its_syntax_tree() -> None:
    import duckdb

    tree = json.loads(duckdb.execute("SELECT json_serialize_sql('SELECT a FROM t')").fetchall()[0][0])
    node = tree["statements"][0]["node"]
    place = node["from_table"]
    assert (tree["error"], node["type"], place["type"]) == (False, "SELECT_NODE", "BASE_TABLE"), _gone("duckdb:json_serialize_sql")
    assert place["qualified_name"]["path"] == ["t"], _gone("duckdb:json_serialize_sql")
    assert node["select_list"][0]["class"] == "COLUMN_REF", _gone("duckdb:json_serialize_sql")  # what has a class is an expression


def test_an_asyncio_handle_runs_through_its_private_method() -> None:
    assert inspect.iscoroutinefunction(events.Handle._run) is False
    assert list(inspect.signature(events.Handle._run).parameters) == ["self"], _gone("asyncio.events:Handle._run")


@pytest.mark.parametrize("library", LIBRARIES.values())
def test_each_of_these_libraries_has_an_upper_bound(library: str) -> None:
    declared = [line for line in PYPROJECT["project"]["dependencies"] if re.split(r"[\[<>=; ]", line)[0] == library]
    assert len(declared) == 1
    assert "<" in declared[0], f"{library} needs an upper bound in pyproject.toml: we use private names of it."
    assert "<" in PYPROJECT["project"]["requires-python"]


def test_every_private_name_that_we_use_is_listed() -> None:
    """What ruff's SLF001 is silenced for, and private names and modules that are imported."""
    listed = {
        part for name in (*NAMES, *(f".{names}" for known in ATTRIBUTES.values() for names in known)) for part in re.split("[.:]", name)
    }
    used = {(path, name) for room in ROOMS for path in sorted(room.rglob("*.py")) for name in _private_names(path)}
    assert {name for _, name in used} >= {"_determine_partitions", "_write_metadata", "_run", "_parser"}
    assert {f"{path.relative_to(PROJECT)}: {name}" for path, name in used if name not in listed} == set()


def _private_names(path: Path) -> Iterator[str]:
    source = path.read_text(encoding="utf-8")
    for line in source.splitlines():
        if re.search(r"# noqa:[^#]*\bSLF001\b", line):
            yield from re.findall(r"(?<!\bself)\.(_[a-z]\w*)", line.partition("#")[0])
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ImportFrom):
            yield from (part for part in (node.module or "").split(".") if re.match(r"_[a-z]", part))
            yield from (name.name for name in node.names if re.match(r"_[a-z]", name.name) and node.module != "__future__")
        elif isinstance(node, ast.Call) and getattr(node.func, "id", getattr(node.func, "attr", "")) == "import_module":
            names = [word.value for word in node.args if isinstance(word, ast.Constant)]
            yield from (part for name in names for part in str(name).split(".") if part.startswith("_"))
