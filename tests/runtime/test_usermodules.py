"""Modules of users: where they are found, what is said when they cannot be had, and the digest of their source."""

from __future__ import annotations

import os
import py_compile
from pathlib import Path

import pytest

from runtime.user_modules import BrokenModuleError, HiddenModuleError, NoModuleError, import_user_module, source_digest


def test_a_module_of_a_folder(tmp_path: Path) -> None:
    (tmp_path / "mine_a.py").write_text("ANSWER = 42\n")
    assert import_user_module("mine_a", [str(tmp_path)]).ANSWER == 42
    (tmp_path / "mine_b").mkdir()
    (tmp_path / "mine_b" / "__init__.py").write_text("")
    (tmp_path / "mine_b" / "inner.py").write_text("ANSWER = 43\n")
    assert import_user_module("mine_b.inner", [str(tmp_path)]).ANSWER == 43


@pytest.mark.parametrize(
    ("name", "source", "kind", "message"),
    [
        ("mine_c", None, NoModuleError, "mine_c"),
        ("mine_d", "import not_installed_at_all", BrokenModuleError, "'not_installed_at_all'. Install the missing package"),
        ("mine_e", "x = 1\n1 / 0", BrokenModuleError, r"ZeroDivisionError: division by zero \(mine_e.py, line 2\)"),
        ("mine_f", "def", BrokenModuleError, r"SyntaxError: .*mine_f.py, line 1"),
        ("json", "", HiddenModuleError, r"json.py has the name of another module, .*json/__init__.py. Rename the file."),
        ("sys", "", HiddenModuleError, r"sys.py has the name of another module, sys. Rename the file."),
    ],
)
def test_a_module_that_cannot_be_had(name: str, source: str | None, kind: type[Exception], message: str, tmp_path: Path) -> None:
    if source is not None:
        (tmp_path / f"{name}.py").write_text(source)
    with pytest.raises(kind, match=message):
        import_user_module(name, [str(tmp_path)])


def test_the_source_of_now_is_imported_not_a_compiled_file_of_the_same_second(tmp_path: Path) -> None:
    package = tmp_path / "mine_j"
    package.mkdir()
    (package / "__init__.py").write_text("")
    for path in (tmp_path / "mine_k.py", package / "inner.py"):
        path.write_text("ANSWER = 42\n")
        py_compile.compile(str(path))
        before = path.stat()
        path.write_text("ANSWER = 43\n")
        os.utime(path, (before.st_atime, before.st_mtime))
    assert [import_user_module(name, [str(tmp_path)]).ANSWER for name in ("mine_k", "mine_j.inner")] == [43, 43]


def test_the_digest_is_of_the_source_as_it_is_now(tmp_path: Path) -> None:
    path, folders = tmp_path / "mine_g.py", [str(tmp_path)]
    path.write_text("raise RuntimeError  # it is not imported\n")
    first = source_digest("mine_g", folders)
    assert first is not None
    path.write_text("\n# a comment\nraise RuntimeError\n")
    assert source_digest("mine_g", folders) == first
    path.write_text("raise ValueError\n")
    assert source_digest("mine_g", folders) not in {None, first}
    (tmp_path / "mine_h").mkdir()
    (tmp_path / "mine_h" / "inner.py").write_text("X = 1\n")  # a package without __init__.py
    assert source_digest("mine_h.inner", folders) is not None
    assert [source_digest(name, folders) for name in ("sys", "mine_i", "mine_g.inner")] == [None, None, None]
    assert source_digest("json.decoder", folders) is not None
