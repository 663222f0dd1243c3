"""Reads crawl files: YAML to `Crawl`. Errors name the line, the key and what is allowed. The DAGs and the command begin here."""

from __future__ import annotations

import re
import stat
from difflib import get_close_matches
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from schemas.config.crawl import Crawl
from schemas.config.crawl_defaults import EXTENDS, is_base, with_bases
from schemas.config.settings import Settings
from schemas.datasets.suite_file import read_suite
from schemas.errors import ConfigError, CrawlhouseError, NotFoundError
from schemas.yaml_files.bounded_yaml import MAX_BYTES, check_size, decoded, message_text, read_nodes, read_yaml
from schemas.yaml_files.yaml_problems import describe_problems, has_key, line_at

SUFFIXES = (".yaml", ".yml")
NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")


def read_crawl(path: Path) -> Crawl:
    """Read one YAML file. The crawl's name is the file's.

    Raises NotFoundError for a missing file, and one ConfigError with all mistakes of the file.
    """
    if path.suffix == ".yml":
        name = message_text(str(path))
        raise ConfigError(f"{name}: a crawl file ends in .yaml; rename it to {message_text(path.stem)}.yaml, or remove it if there is one.")
    return parse_crawl(_text(path), path.stem, message_text(str(path)), path.parent)


def _text(path: Path) -> str:
    """The text of a crawl file. No more bytes are read than a file may have. Raises NotFoundError, ConfigError."""
    try:
        if not stat.S_ISREG(path.stat().st_mode):  # reading a pipe would wait
            raise ConfigError(f"{message_text(str(path))} is not a file. A crawl is a file of YAML.")
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
        check_size(content, message_text(str(path)))
        return decoded(content, message_text(str(path)))
    except FileNotFoundError as error:
        raise NotFoundError(f"There is no crawl file {message_text(str(path))}.") from error
    except (OSError, ValueError) as error:  # ValueError: a path that cannot be
        raise ConfigError(f"{message_text(str(path))} cannot be read: {message_text(str(error))}.") from error


def is_path(reference: str) -> bool:
    """Whether a reference to a crawl is a file's path, and not a name."""
    return reference.endswith(SUFFIXES) or "/" in reference


def find_crawl(reference: str, folder: Path) -> Crawl:
    """The crawl with a name, or in the file of a path. Raises NotFoundError with the names that there are, and ConfigError."""
    if is_path(reference):
        return read_crawl(Path(reference))
    path = folder / f"{reference}.yaml"
    if path.is_file():
        return read_crawl(path)
    names = sorted(other.stem for other in folder.glob("*.yaml") if not is_base(other))
    if not names:
        raise NotFoundError(f"There is no crawl {reference!r}: {folder} holds no crawl file. `crawlhouse init` makes a first one.")
    near = get_close_matches(reference, names, n=1)
    hint = f" Did you mean {near[0]!r}?" if near else ""
    raise NotFoundError(f"There is no crawl {reference!r} in {folder}.{hint} There are: {', '.join(names)}.")


def settings_for_crawl(reference: str, settings: Settings) -> Settings:
    """The settings for a crawl. If it was given by its file's path, its spider is looked for next to that file."""
    return settings.model_copy(update={"crawls": Path(reference).absolute().parent}) if is_path(reference) else settings


def parse_crawl(text: str, name: str, source: str = "<text>", folder: Path | None = None) -> Crawl:
    """The crawl in a YAML text; `folder` is where its suite files are. Raises ConfigError, whatever the text is."""
    try:
        return _parse(text, name, source, folder)
    except CrawlhouseError:
        raise
    except Exception as error:  # text from anyone may break the reader or a check in unknown ways
        raise ConfigError(f"{source} cannot be read: {type(error).__name__}: {message_text(str(error))}") from error


def _parse(text: str, name: str, source: str, folder: Path | None) -> Crawl:
    node, data = read_yaml(text, source)
    if not isinstance(data, dict):
        found = "is empty" if data is None else f"is a {type(data).__name__}"
        raise ConfigError(f"{source} {found}, but must be a mapping with at least 'seeds:'.")
    if not NAME.fullmatch(name):
        raise ConfigError(
            f"{source}: {message_text(name)!r} names no crawl: a file's name is lower-case letters, digits and _, like 'my_news.yaml'."
        )
    if data.get("name", name) != name:
        raise ConfigError(f"{source}: line {line_at(node, ('name',))}: a crawl is named by its file, {name!r}; remove 'name'.")
    data = with_bases(_with_suites(data, node, source, folder), folder, source, _read_base)
    try:
        return Crawl.model_validate({**data, "name": name})
    except ValidationError as error:
        raise ConfigError(describe_problems(error, node, source, Crawl)) from error


def _read_base(path: Path) -> dict[str, Any]:
    """The keys of a file that crawls build on, checked as those of a crawl. Raises NotFoundError, ConfigError."""
    try:
        return _checked_base(path, path.stat().st_mtime_ns)
    except OSError:
        return _checked_base(path, 0)


@lru_cache(maxsize=64)  # many crawls build on the same file
def _checked_base(path: Path, changed_at: int) -> dict[str, Any]:
    source = message_text(str(path))
    node, data = read_yaml(_text(path), source)
    if not isinstance(data, dict):
        raise ConfigError(f"{source} must be a mapping with keys of a crawl file.")
    if "name" in data:
        raise ConfigError(f"{source}: line {line_at(node, ('name',))}: a crawl is named by its file; remove 'name'.")
    data = _with_suites(data, node, source, path.parent)
    own = {name: value for name, value in data.items() if name != EXTENDS}
    try:
        Crawl.model_validate({"seeds": ["https://example.com/"], **own, "name": "base"})
    except ValidationError as error:
        raise ConfigError(describe_problems(error, node, source, Crawl)) from error
    return data


def _with_suites(data: dict[str, Any], node: yaml.Node | None, source: str, folder: Path | None) -> dict[str, Any]:
    """Expectations that stand in suite files beside the crawl's file, read in."""
    expectations = data.get("expectations")
    if not isinstance(expectations, dict):
        return data
    read = {
        dataset: read_suite(given, folder, f"{source}: line {line_at(node, ('expectations', dataset))}: expectations.{dataset}")
        for dataset, given in expectations.items()
        if isinstance(given, str)
    }
    return {**data, "expectations": {**expectations, **read}}


def read_crawls(folder: Path) -> tuple[dict[str, Crawl], dict[str, CrawlhouseError]]:
    """All crawls of a folder by name, and the errors of the broken ones by name. A missing folder has no crawls."""
    crawls: dict[str, Crawl] = {}
    broken: dict[str, CrawlhouseError] = {}
    for path in sorted(path for path in folder.glob("*.y*ml") if path.suffix in SUFFIXES and not is_base(path)):
        try:
            crawls[path.stem] = read_crawl(path)
        except CrawlhouseError as error:
            broken.setdefault(path.stem, error)  # for x.yaml and x.yml: the error of the first
    return crawls, broken


def line_of(path: Path, *location: str | int) -> int | None:
    """The line of a key in a crawl file, or of the nearest key around it. None if the file lacks the top-level key."""
    try:
        node = read_nodes(_text(path), str(path))
    except (CrawlhouseError, yaml.YAMLError):
        return None
    return line_at(node, location) if has_key(node, location[0]) else None
