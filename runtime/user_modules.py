"""Imports the modules of users, with spiders, functions and steps: from the project's folders, or installed.

Modules in the project's folders are compiled from their source each time. Python's compiled files (`__pycache__`) count as current if the
source has the same size and the same second of change, so that code which was edited twice in a second would be the older one.
"""

from __future__ import annotations

import hashlib
import importlib
import os
import sys
import traceback
from collections.abc import Sequence
from importlib.machinery import EXTENSION_SUFFIXES, SOURCE_SUFFIXES, ExtensionFileLoader, FileFinder, PathFinder, SourceFileLoader
from importlib.util import find_spec
from pathlib import Path
from types import CodeType, ModuleType

from runtime.code_version import without_comments

MAX_MESSAGE_CHARACTERS = 400
_folders: set[str] = set()  # where modules of users were looked for


class NoModuleError(Exception):
    """There is no module of that name."""


class BrokenModuleError(Exception):
    """The module raised an error while it was imported. The message is a clause, and says what to do if that is known."""


class HiddenModuleError(Exception):
    """The user's file has the name of another module, which Python would import instead."""


class _SourceLoader(SourceFileLoader):
    """Compiles a module from its source. It neither reads nor writes a compiled file."""

    def get_code(self, fullname: str) -> CodeType:
        path = self.get_filename(fullname)
        return self.source_to_code(self.get_data(path), path)


def import_user_module(name: str, folders: Sequence[str]) -> ModuleType:
    """The module of a name, in one of the folders or installed. Raises NoModuleError, BrokenModuleError, HiddenModuleError."""
    _refuse_hidden(name, folders)
    _search_in(folders)
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name is None or not f"{name}.".startswith(f"{error.name}."):
            raise BrokenModuleError(f"{error}. Install the missing package") from error
        raise NoModuleError(name) from error
    except Exception as error:
        raise BrokenModuleError(error_text(error)) from error


def error_text(error: BaseException) -> str:
    """An error in one line: its type and message, and the file and line where it was raised."""
    message = " ".join(f"{type(error).__name__}: {error}".split())
    if len(message) > MAX_MESSAGE_CHARACTERS:
        message = f"{message[:MAX_MESSAGE_CHARACTERS]}... ({len(message):,} characters)"
    frames = [] if isinstance(error, SyntaxError) else traceback.extract_tb(error.__traceback__)  # a SyntaxError says it itself
    return f"{message} ({Path(frames[-1].filename).name}, line {frames[-1].lineno})" if frames else message


def source_digest(name: str, folders: Sequence[str]) -> str | None:
    """A digest of a module's source as it is now, without comments, 32 hex digits; None if it has no source that can be read.

    The module is not imported. Modules that it imports do not count.
    """
    path = _source_path(name, folders)
    if path is None or not path.endswith(".py"):
        return None
    try:
        source = Path(path).read_bytes()
    except OSError:
        return None
    return hashlib.sha256(without_comments(source)).hexdigest()[:32]


def _source_path(name: str, folders: Sequence[str]) -> str | None:
    """Where the source of a module is. A package of which it is a part is not imported either."""
    _search_in(folders)
    top, *inner = name.split(".")
    try:
        spec = find_spec(top)
    except ValueError:  # of a module that was made by hand
        return None
    for part in inner:
        if spec is None or spec.submodule_search_locations is None:
            return None
        spec = PathFinder.find_spec(f"{spec.name}.{part}", spec.submodule_search_locations)
    return None if spec is None else spec.origin


def _search_in(folders: Sequence[str]) -> None:
    sys.path += [folder for folder in folders if folder not in sys.path]
    for folder in folders:
        if folder not in _folders:
            _folders.add(folder)
            _forget_finders(folder)
    if _find_source not in sys.path_hooks:
        sys.path_hooks.insert(0, _find_source)
    importlib.invalidate_caches()  # the file may be newer than this process


def _find_source(path: str) -> FileFinder:
    """What finds modules in a folder of a user's; ImportError, as a path hook says it, for any other folder."""
    if not any(_is_inside(path, folder) for folder in _folders):
        raise ImportError(path)
    return FileFinder(path, (ExtensionFileLoader, EXTENSION_SUFFIXES), (_SourceLoader, SOURCE_SUFFIXES))


def _forget_finders(folder: str) -> None:
    """Python keeps what finds modules in a folder: those that were made before the folder was known as a user's go."""
    for path in [path for path in sys.path_importer_cache if _is_inside(path, folder)]:
        del sys.path_importer_cache[path]


def _is_inside(path: str, folder: str) -> bool:
    return path == folder or path.startswith(folder.rstrip(os.sep) + os.sep)


def _refuse_hidden(name: str, folders: Sequence[str]) -> None:
    top = name.partition(".")[0]
    own = PathFinder.find_spec(top, list(folders))
    other = PathFinder.find_spec(top, [path for path in sys.path if path not in folders])
    is_hidden = own is not None and (other is not None or top in sys.builtin_module_names)
    if is_hidden and own is not None and own.origin != getattr(other, "origin", None):
        raise HiddenModuleError(f"{own.origin} has the name of another module, {other.origin if other else top}. Rename the file.")
