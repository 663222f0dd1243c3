"""Packages with entry points for crawlhouse, as an installer leaves them in a folder of the import path."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from tests import PROJECT

EXAMPLE = PROJECT / "docs" / "examples" / "crawlhouse-example-plugin"


def install_example(folder: Path) -> Path:
    """Build the example package and install it into a folder, without a network."""
    source, target = folder / "source", folder / "installed"
    shutil.copytree(EXAMPLE, source)
    options = ["--quiet", "--no-deps", "--no-index", "--no-build-isolation", "--no-compile", "--disable-pip-version-check"]
    subprocess.run([sys.executable, "-m", "pip", "install", *options, "--target", str(target), str(source)], check=True)
    return target


def write_package(folder: Path, name: str, entry_points: Mapping[str, Mapping[str, str]], files: Mapping[str, str]) -> Path:
    """Write a package with these entry points (group -> name -> target) and files, by their paths in the folder."""
    metadata = folder / f"{name.replace('-', '_')}-1.0.dist-info"
    metadata.mkdir(parents=True)
    (metadata / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n", encoding="utf-8")
    groups = ("\n".join([f"[{group}]", *(f"{key} = {value}" for key, value in points.items())]) for group, points in entry_points.items())
    (metadata / "entry_points.txt").write_text("\n".join(groups) + "\n", encoding="utf-8")
    for path, text in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text, encoding="utf-8")
    return folder
