"""Every command that the docs show is one: its name, its options and the number of its arguments."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.main import get_command

from crawlhouse.command import app
from tests import PROJECT

FENCE = re.compile(r"^```(?:\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
PAGES = sorted([PROJECT / "README.md", *(PROJECT / "docs").glob("*.md")])
OF_A_PLUGIN = "best"  # the command of the example package in docs/plugins.md
ENDS = {"|", ">", "&&", ";", "<", "&", "2>"}


def commands_of(page: Path) -> Iterator[list[str]]:
    """The words behind `crawlhouse` in each line of a page's blocks that begins with it."""
    for block in FENCE.findall(page.read_text(encoding="utf-8")):
        for line in block.replace("\\\n", " ").splitlines():
            if line.strip().startswith("crawlhouse ") and line.count('"') % 2 == line.count("'") % 2 == 0:
                words = shlex.split(line, comments=True)[1:]
                if words[0] != OF_A_PLUGIN:
                    yield words[: next((number for number, word in enumerate(words) if word in ENDS), len(words))]


def problem_of(words: list[str]) -> str | None:
    """What is wrong with a command's name, options or arguments; None if it could run."""
    command: Any = get_command(app)  # Any: of the Click that Typer brings with it, whose types are private
    left, name = list(words), "crawlhouse"
    try:
        context = command.make_context(name, list(left))
        while hasattr(command, "resolve_command"):
            name, command, left = command.resolve_command(context, left)
            if not hasattr(command, "resolve_command"):
                context = command.make_context(name, left)
    except typer.Exit:  # --help and --version
        return None
    except Exception as error:
        if not hasattr(error, "format_message"):
            raise
        return f"crawlhouse {shlex.join(words)}: {error.format_message()}"
    return None


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_the_commands_of_a_page(page: Path) -> None:
    assert [problem for words in commands_of(page) if (problem := problem_of(words))] == []


def test_mistakes_are_seen() -> None:
    assert len([words for page in PAGES for words in commands_of(page)]) > 60
    for words in (["quarantine", "list", "--rules", "type"], ["quarantines", "list"], ["gate", "accept", "run"], ["process", "a", "b"]):
        assert problem_of(words), words
