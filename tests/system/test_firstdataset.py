"""The commands of docs/first_dataset.md and of the README's short form, typed one after the other beside a running shop."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import PROJECT
from tests.crawlhouse.conftest import clean_environment
from tests.demosite import DemoSite, run_demo_site

FENCE = re.compile(r"^```\n(.*?)^```$", re.MULTILINE | re.DOTALL)
PLACE = "http://127.0.0.1:8803/"
COMMANDS = ("init", "check", "crawl", "process", "query", "changes")


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[DemoSite]:
    """The demo's shop, with its clock where `make demo` has it."""
    with run_demo_site(tmp_path / "var" / "demo") as site:
        yield site


def blocks(page: str, heading: str = "") -> list[str]:
    """The blocks of commands of a page, or of one of its sections."""
    text = (PROJECT / page).read_text(encoding="utf-8")
    if heading:
        text = text.split(f"\n## {heading}\n")[1].split("\n## ")[0]
    return FENCE.findall(text)


def typed(commands: list[str], shop: DemoSite, folder: Path) -> subprocess.CompletedProcess[str]:
    """All blocks typed into one shell, which ends at the first command that fails."""
    script = "\n".join(commands).replace(PLACE, f"{shop.shop}/")
    environment = clean_environment() | {"PYTHONPATH": str(PROJECT), "PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin"}
    return subprocess.run(["bash", "-ec", script], cwd=folder, env=environment, capture_output=True, text=True, timeout=300, check=False)


def test_the_five_minutes_as_they_are_written(shop: DemoSite, tmp_path: Path) -> None:
    commands = blocks("docs/first_dataset.md")
    for name in COMMANDS:
        assert any(f"crawlhouse {name} " in block for block in commands), name
    done = typed(commands, shop, tmp_path)
    assert done.returncode == 0, done.stderr
    script = "cd prices; crawlhouse query 'SELECT count(*) AS rows, count(DISTINCT row_id) AS keys, max(version) AS version FROM offers'"
    (counts,) = json.loads(typed([f"{script} -f json"], shop, tmp_path).stdout)
    assert counts["keys"] == 20  # of 24 pages, four have broken data
    assert counts["rows"] > counts["keys"]
    assert counts["version"] == 2
    rules = json.loads(typed(["cd prices; crawlhouse query 'SELECT rule FROM quarantine ORDER BY rule' -f json"], shop, tmp_path).stdout)
    assert [row["rule"] for row in rules] == [
        "expectation:expect_column_values_to_be_between",
        "expectation:expect_column_values_to_not_be_null",
        "key",
        "type",
    ]
    gone = [line for line in done.stdout.splitlines() if '"change": "gone"' in line]
    assert len(gone) == 2


def test_the_short_form_of_the_readme(shop: DemoSite, tmp_path: Path) -> None:
    done = typed(blocks("README.md", "A dataset of your own in five minutes"), shop, tmp_path)
    assert done.returncode == 0, done.stderr
    assert "28.5" in done.stdout
