"""Write articles as a folder of Markdown files, one each, with their metadata as YAML front matter."""

from __future__ import annotations

import re
import shutil
import unicodedata
from collections.abc import Iterable
from pathlib import Path

import yaml

from processing.staging.staging import Row
from schemas.errors import ConfigError
from storage.urls.host_key import host_key

MARKDOWN_FOLDER = ".md"  # how the name of such a folder ends
MAX_NAME_CHARACTERS = 80
_METADATA = (
    "title", "url", "authors", "published_at", "modified_at", "site_name", "section", "tags", "language", "description", "canonical_url",
    "lead_image", "fetched_at", "warc_filename", "warc_record_offset",
)  # fmt: skip
_SEPARATORS = re.compile(r"[^a-z0-9]+")


def refuse_files(folder: Path) -> None:
    """Raises ConfigError if the folder is there and not empty, or is a file: it would be replaced."""
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise ConfigError(f"{folder} is there already. Remove it, or choose another name: the folder is written whole.")


def write_markdown_files(folder: Path, rows: Iterable[Row]) -> None:
    """Write a file for each article among the rows, named by its number, host and title. The folder appears when all are written."""
    temporary = folder.with_name(folder.name + ".tmp")
    if temporary.exists():
        shutil.rmtree(temporary)
    temporary.mkdir(parents=True)
    number = 0
    for row in rows:
        if row["status"] == "article" and row["markdown"]:
            number += 1
            (temporary / f"{number:06d}-{file_name(row)}.md").write_text(markdown_file(row), encoding="utf-8")
    if folder.exists():
        folder.rmdir()
    temporary.replace(folder)


def markdown_file(row: Row) -> str:
    """An article as the text of a file: metadata, its title among it, between two lines of `---`, then its Markdown."""
    said = {name: row.get(name) for name in _METADATA}
    front = yaml.safe_dump(
        {name: _plain(value) for name, value in said.items() if value or value == 0}, allow_unicode=True, sort_keys=False, width=1_000
    )
    return f"---\n{front}---\n\n{row['markdown']}\n"


def file_name(row: Row) -> str:
    """A part of a file's name that any file system takes: the host and the title in ASCII."""
    words = f"{host_key(row['url'])} {row.get('title') or ''}".casefold()  # casefold: ß becomes ss
    ascii_words = unicodedata.normalize("NFKD", words).encode("ascii", "ignore").decode()
    return _SEPARATORS.sub("-", ascii_words)[:MAX_NAME_CHARACTERS].strip("-") or "article"


def _plain(value: object) -> object:
    if isinstance(value, (str, int, float, bool)):
        return value
    return (
        [_plain(one) for one in value]
        if isinstance(value, (list, tuple))
        else value.isoformat()
        if hasattr(value, "isoformat")
        else str(value)
    )
