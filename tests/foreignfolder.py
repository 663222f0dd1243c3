"""A folder of someone else's, with modules that have the names of ours and of Python's: none of them may ever be imported from it."""

from __future__ import annotations

from pathlib import Path

PACKAGES = ("spiders", "storage", "schemas", "processing", "dags", "demo", "crawlhouse", "airflow", "scrapy")
MODULES = ("json", "random", "logging", "sitecustomize", "usercustomize", "yaml", "process", "statistics")
MARK = "imported"
CODE = """
import sys
with open({mark!r}, "a") as file:
    file.write(__name__ + " " + " ".join(sys.orig_argv[:4]) + chr(10))
raise ImportError("a module of the working directory was imported: " + __name__)
"""


def foreign_folder(folder: Path) -> Path:
    """Fill the folder; whatever is imported from it is noted in `imported_names`."""
    code = CODE.format(mark=str(folder / MARK))
    for name in PACKAGES:
        (folder / name).mkdir(parents=True)
        (folder / name / "__init__.py").write_text(code, encoding="utf-8")
    for name in MODULES:
        (folder / f"{name}.py").write_text(code, encoding="utf-8")
    return folder


def imported_names(folder: Path) -> str:
    """What was imported from the folder, and by which command: empty where nothing was."""
    mark = folder / MARK
    return mark.read_text(encoding="utf-8") if mark.exists() else ""
