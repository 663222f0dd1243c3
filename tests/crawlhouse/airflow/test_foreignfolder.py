"""Commands in a folder that has modules with our names, as every Scrapy project does: each child process runs our code."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from crawlhouse.demo.demo_site import start_site, stop_site
from runtime.command_line import SAFE_PATH, code_command, import_path, module_command
from schemas.config.crawl import Crawl
from schemas.config.crawl_file import read_crawl
from schemas.config.settings import Settings
from tests.crawlhouse.conftest import clean_environment, run_command
from tests.crawlhouse.live.livestack import free_port
from tests.foreignfolder import foreign_folder, imported_names
from tests.warm import popen

CRAWL = """
seeds: ['http://127.0.0.1:{}/', 'http://127.0.0.1:{}/']
scope: {{exclude: [/odd/]}}
politeness: {{delay: 0, concurrency_per_host: 4}}
network: {{allow: [127.0.0.1/32]}}
budgets: {{max_pages: 24}}
"""


@pytest.fixture
def foreign(tmp_path: Path) -> Path:
    return foreign_folder(tmp_path / "scrapy_project")


@pytest.mark.chaos
def test_site_crawl_and_process_in_a_foreign_folder(foreign: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The demo site, the fetch worker, the page workers and the gate, each started as for a user."""
    settings = Settings(home=tmp_path / "home", crawls=tmp_path / "crawls")
    settings.crawls.mkdir()
    path = settings.crawls / "few.yaml"
    path.write_text(CRAWL.format(free_port(), free_port()), encoding="utf-8")
    shop = Crawl.model_validate({"name": "shop", "seeds": [f"http://127.0.0.1:{free_port()}/"]})
    environment = clean_environment(home=str(settings.home), crawls=str(settings.crawls))
    monkeypatch.chdir(foreign)
    monkeypatch.delenv("PYTHONPATH", raising=False)
    environment.pop("PYTHONPATH", None)
    with popen.cold():
        environment[popen.SWITCH] = "1"
        start_site(settings, read_crawl(path), shop)
        try:
            crawled = run_command("crawl", "few", "-f", "json", env=environment, cwd=foreign)
            assert crawled.code == 0, crawled.err + imported_names(foreign)
            processed = run_command("process", "few", "-f", "json", env=environment, cwd=foreign)
            assert "leaked" not in processed.err  # nor any other chatter of a library
            assert processed.code == 0, processed.err + imported_names(foreign)
        finally:
            stop_site(settings)
    assert json.loads(crawled.out)["counts"]["fetched"] >= 24
    assert json.loads(processed.out)["published"] > 0
    assert imported_names(foreign) == ""


@pytest.mark.parametrize("command", [module_command("json.tool", "--help"), code_command("import json, random, yaml")])
def test_a_command_imports_nothing_of_its_folder(foreign: Path, command: list[str]) -> None:
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    subprocess.run(command, cwd=foreign, env=environment, check=True, capture_output=True)
    subprocess.run([sys.executable, "-c", "import json"], cwd=foreign, env=environment | SAFE_PATH, check=True)
    assert imported_names(foreign) == ""


def test_what_pythonpath_names_is_imported(foreign: Path) -> None:
    """It is the user's choice."""
    ended = subprocess.run(code_command("import yaml"), env=os.environ | {"PYTHONPATH": str(foreign)}, capture_output=True, check=False)
    assert ended.returncode != 0
    assert "yaml" in imported_names(foreign)


@pytest.mark.parametrize("start", [["-c", "{}"], ["-m", "mine"], ["-P", "-c", "{}"]])
def test_a_child_finds_what_its_parent_finds_but_for_the_working_directory(start: list[str], tmp_path: Path) -> None:
    code = "import json; from runtime.command_line import import_path; print(json.dumps(import_path()))"
    (tmp_path / "mine.py").write_text(code, encoding="utf-8")
    command = [sys.executable, *(argument.format(code) if argument == "{}" else argument for argument in start)]
    environment = {**os.environ, "PYTHONPATH": str(tmp_path / "chosen")}
    found = json.loads(subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, check=True).stdout)
    assert found[0] == str(tmp_path / "chosen")
    assert not {"", str(tmp_path)} & set(found)


def test_a_script_keeps_the_modules_beside_it(tmp_path: Path) -> None:
    (tmp_path / "script.py").write_text("from runtime.command_line import import_path; print(import_path()[0])", encoding="utf-8")
    said = subprocess.run([sys.executable, "script.py"], cwd=tmp_path, capture_output=True, text=True, check=True).stdout
    assert said.strip() == str(tmp_path)
    assert "" not in import_path()
