"""The wheel in an empty environment: what the package needs is in it, and nothing of the checkout is needed."""

from __future__ import annotations

import json
import os
import site
import subprocess
import sys
from pathlib import Path

import pytest

from tests import PROJECT
from tests.crawlhouse.live.livestack import free_port
from tests.foreignfolder import foreign_folder, imported_names

MODULES = (
    "crawlhouse.command, dags, demo.site, processing.expectations.suite_process, processing.stages, schemas, spiders.worker, "
    "storage.lake.lake"
)
WHERE = f"import {MODULES}; print('\\n'.join(m.__file__ for m in (crawlhouse, dags, demo, processing, schemas, spiders, storage)))"
FILES = """
from pathlib import Path
from crawlhouse.airflow.home import dags_folder
from processing.expectations.expectations import suite_path
from processing.article.pagetype.model import MODEL
from storage.database.migration import migrations
import crawlhouse.pages
from processing.article.body.calibration import WEIGHTS
print(all(path.is_file() for path in (dags_folder() / "crawl.py", dags_folder() / "process.py", suite_path(), MODEL, WEIGHTS))
    and any(Path(crawlhouse.pages.__file__).with_name("templates").iterdir())
    and len(list(migrations().walk_revisions())) > 1)
"""


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The `bin` of an environment that has our wheel, and everything else from the environment of the tests."""
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)], cwd=PROJECT, check=True, capture_output=True
    )
    (wheel,) = folder.glob("*.whl")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder / "venv")], check=True)
    python = folder / "venv" / "bin" / "python"
    install = ["install", "--quiet", "--no-deps", "--no-index", "--no-compile", str(wheel)]
    subprocess.run([sys.executable, "-m", "pip", "--python", str(python), *install], check=True)
    packages = folder / "venv" / "lib" / f"python{sys.version_info.major}.{sys.version_info.minor}" / "site-packages"
    (packages / "dependencies.pth").write_text("\n".join(site.getsitepackages()) + "\n", encoding="utf-8")  # without its own .pth files
    return python.parent


@pytest.fixture
def environment(installed: Path, tmp_path: Path) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("CRAWLHOUSE_", "PYTHON"))}
    return kept | {"PATH": f"{installed}:{os.environ['PATH']}", "CRAWLHOUSE_HOME": str(tmp_path / "var")}


def test_the_modules_and_their_files_are_the_wheels(installed: Path, environment: dict[str, str], tmp_path: Path) -> None:
    def said(code: str) -> str:
        command = [str(installed / "python"), "-c", code]
        return subprocess.run(command, env=environment, cwd=tmp_path, capture_output=True, text=True, check=True).stdout.strip()

    assert {Path(line).is_relative_to(installed.parent) for line in said(WHERE).splitlines()} == {True}
    assert said(FILES) == "True"


def test_a_project_of_its_own_crawls_and_processes(installed: Path, environment: dict[str, str], tmp_path: Path) -> None:
    """`init`, a crawl of the demo site, `process` and `query`, in a folder with modules of our names."""
    project = foreign_folder(tmp_path / "project")
    site_ports = ["--port", str(free_port()), "--second-port", str(free_port())]
    command = [str(installed / "python"), "-P", "-m", "demo.site", *site_ports, "--clock", "0", "--for", "600"]

    def run(*arguments: str) -> str:
        done = subprocess.run(
            [str(installed / "crawlhouse"), *arguments], cwd=project, env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr + imported_names(project)
        return done.stdout

    with subprocess.Popen(command, cwd=project, env=environment, stdout=subprocess.PIPE, text=True) as demo:
        try:
            assert demo.stdout is not None
            seed = json.loads(demo.stdout.readline())["bases"][0]
            run("init", "--name", "few", "--seed", seed, "--contact", "tests@example.com")
            path = project / "crawls" / "few.yaml"
            path.write_text(
                f"seeds: [{seed}]\nscope: {{exclude: [/odd/]}}\npoliteness: {{delay: 0}}\nnetwork: {{allow: [127.0.0.1/32]}}\n"
                "budgets: {max_pages: 15}\n",
                encoding="utf-8",
            )
            assert json.loads(run("crawl", "few", "-f", "json"))["counts"]["fetched"] >= 15
        finally:
            demo.terminate()
    published = json.loads(run("process", "few", "-f", "json"))["published"]
    rows = json.loads(run("query", "SELECT count(*) AS n FROM articles", "-f", "json"))
    assert published == rows[0]["n"] > 0
    assert imported_names(project) == ""
