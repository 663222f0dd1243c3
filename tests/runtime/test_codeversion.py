"""The code's version: the same for the same code, another for other code."""

import ast
import io
import re
import shutil
import subprocess
import sys
import tokenize
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

from runtime import code_version as code_version_module
from runtime.code_version import DECIDING_LIBRARIES, READERS, code_version, sources_digest, without_comments
from tests import PROJECT

KEEPING = (
    "database/",
    "frontier/",
    "index/known/",
    "index/replayed",
    "lake/",
    "ledger/",
    "objects/",
    "urls/request_body",
    "warc/removed_segments",
    "warc/tombstone",
)  # parts of storage that keep rows and change none
CARRYING = {
    "great_expectations",
    "pandas",
    "pyarrow",
    "pydantic",
    "pyiceberg",
    "pyyaml",
    "arro3-core",
    "arro3-io",
    "sqlalchemy",
}  # libraries, likewise


def test_the_same_code_has_the_same_version_in_every_process() -> None:
    command = [sys.executable, "-c", "from runtime.code_version import code_version; print(code_version())"]
    again = subprocess.run(command, check=True, capture_output=True, text=True, env={"PYTHONHASHSEED": "7"}).stdout.strip()
    assert again == code_version()
    assert re.fullmatch(r"\d+\.\d+\.\d+\+[0-9a-f]{12}", again)


def test_it_is_remembered_for_the_same_bytes_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(code_version_module, "_memory", lambda: tmp_path / "digest")
    monkeypatch.setattr("sys.dont_write_bytecode", False)
    first = code_version.__wrapped__()
    monkeypatch.setattr(code_version_module, "without_comments", lambda source: source + b"#")  # finds other comments
    assert code_version.__wrapped__() == first, "from memory"
    assert [path.name for path in tmp_path.iterdir()] == ["digest"]
    for damaged in ("", (tmp_path / "digest").read_text()[1:], (tmp_path / "digest").read_text()[:-1], "\x00" * 200):
        (tmp_path / "digest").write_text(damaged)
        assert code_version.__wrapped__() != first, "made again"
    monkeypatch.setattr("sys.dont_write_bytecode", True)
    (tmp_path / "digest").unlink()
    code_version.__wrapped__()
    assert list(tmp_path.iterdir()) == []


def test_it_changes_with_a_source_and_with_nothing_else(tmp_path: Path) -> None:
    first, copy = tmp_path / "a" / "processing", tmp_path / "b" / "processing"
    first.mkdir(parents=True)
    (first / "decode.py").write_text("x = 1 if 'a' in {'a', 'b'} else 0\n\n\ndef f():\n    return 1\n")
    shutil.copytree(first, copy)
    digest = sources_digest((first,))
    (copy / "decode.pyc").write_bytes(b"compiled")
    (copy / "decode.py").write_text("# why\nx = 1 if 'a' in {'a', 'b'} else 0  # so\n\ndef f():\n    # one\n    return 1 \n")
    assert sources_digest((copy,)) == digest
    assert sources_digest((copy / "decode.py",)) != digest
    (copy / "decode.py").write_text("x = 1 if 'a' in {'a', 'b'} else 0\n\n\ndef f():\n    return 2\n")
    changed = sources_digest((copy,))
    assert changed != digest
    (copy / "decode.py").rename(copy / "decoding.py")
    assert sources_digest((copy,)) not in {digest, changed}


def test_only_comments_and_blank_lines_do_not_count() -> None:
    """Python's own tokens are the same without them, in all our sources."""
    dropped = {tokenize.COMMENT, tokenize.NL}
    for path in sorted((PROJECT / "processing").rglob("*.py")) + sorted((PROJECT / "schemas").rglob("*.py")):
        source = path.read_bytes()
        tokens = [
            [(token.type, token.string) for token in tokenize.tokenize(io.BytesIO(text).readline) if token.type not in dropped]
            for text in (source, without_comments(source))
        ]
        assert tokens[0] == tokens[1], path
    tricky = b'a = \'#\' + "\'#"  # b\nb = \'x\\\'#\'\nc = """#\n\n# \\""" #\n"""\n'
    assert without_comments(tricky) == tricky.replace(b"  # b", b"")


def test_everything_that_decides_a_row_is_in_it() -> None:
    """What processing, or a module that reads captures, imports is named in the code's version, or here among what decides nothing."""
    readers = [PROJECT / "storage" / f"{name}.py" for name in READERS]
    sources = [*(PROJECT / "processing").rglob("*.py"), *readers]
    modules = {name for source in sources for name in _imports(source)}
    storage = {name.removeprefix("storage.").replace(".", "/") for name in modules if name.startswith("storage.")}
    assert {name for name in storage if not name.startswith(KEEPING)} <= set(READERS)
    distributions = packages_distributions()
    ours = {"processing", "runtime", "schemas", "storage", "__future__", *sys.stdlib_module_names}
    libraries = {name.lower() for module in modules if (root := module.split(".")[0]) not in ours for name in distributions.get(root, [])}
    assert libraries - CARRYING <= set(DECIDING_LIBRARIES)


def _imports(source: Path) -> Iterator[str]:
    """The modules that a source imports, also those that it imports from a package."""
    for node in ast.walk(ast.parse(source.read_bytes())):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and (PROJECT / node.module.replace(".", "/")).is_dir():
            yield from (f"{node.module}.{name.name}" for name in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
