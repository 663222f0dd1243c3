"""What commands print: tables on terminals of any width, and text that the locale's encoding does not have."""

from __future__ import annotations

import io
import re
import sys
from pathlib import Path

import pytest
from rich.console import Console

from crawlhouse.output.comparison import show_comparison
from crawlhouse.output.console import prepare_output, results, table
from crawlhouse.output.failures import exit_code_of
from processing.reprocess.comparison import Comparison, DatasetChanges, Example
from tests.crawlhouse.conftest import Run

RUN = "my_news-20260301T120000Z-a1b2c3"
ROWS = [(RUN, "2026-03-01 12:00", "published", "1,234"), ("b", "2026-03-02 12:00", "", "5")]


def printed(width: int) -> list[str]:
    console = Console(file=io.StringIO(), width=width)
    console.print(table("", ("run", "planned (UTC)", "state", "fetched"), ROWS, numbers={"fetched"}))
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue().splitlines()


@pytest.mark.parametrize("width", [40, 60, 70])
def test_a_narrow_terminal_gets_rows_below_each_other_and_no_name_in_pieces(width: int) -> None:
    lines = printed(width)
    assert lines[0] == RUN
    assert any("planned (UTC): 2026-03-01 12:00" in line for line in lines)
    assert any("fetched: 1,234" in line for line in lines)
    assert "state" not in "".join(lines[lines.index("b") :])  # an empty value
    assert max(map(len, lines)) <= width


def test_where_there_is_room_it_is_a_table() -> None:
    assert sum(RUN in line and "2026-03-01 12:00" in line and "1,234" in line for line in printed(80)) == 1


def test_a_long_text_is_folded_and_what_is_beside_it_is_not() -> None:
    console = Console(file=io.StringIO(), width=80)
    console.print(table("", ("run", "why"), [(RUN, "a word or two " * 20)]))
    assert isinstance(console.file, io.StringIO)
    assert sum(RUN in line for line in console.file.getvalue().splitlines()) == 1
    assert console.file.getvalue().count("word") == 20


def test_a_comparison_says_which_rows_are_the_old_ones(capsys: pytest.CaptureFixture[str]) -> None:
    results.cache_clear()
    example = Example("articles", "https://a.example/", {"title": "old"}, {"title": "new"})
    show_comparison(Comparison(records=1, datasets={"articles": DatasetChanges(before=3, after=2, lost=1)}, examples=[example]))
    shown = capsys.readouterr().out
    results.cache_clear()
    assert re.search(r"rows before +rows after", shown)
    assert re.search(r"field +before +after", shown)
    assert re.search(r"title +old +new", shown)


def test_a_dash_is_standard_output_and_no_folder(crawlhouse: Run, tmp_path: Path) -> None:
    asked = crawlhouse("query", "SELECT 1 AS x", "--format", "csv", "-o", "-")
    assert (asked.code, asked.out) == (0, "x\n1\n")
    assert crawlhouse("export", "-o", "-").code == 2
    assert list(tmp_path.iterdir()) == []


class Terminal(io.BytesIO):
    """A file that says it is a terminal."""

    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(("file", "written"), [(io.BytesIO(), "ä日"), (Terminal(), r"\xe4\u65e5")], ids=["pipe", "terminal"])
def test_no_locale_ends_a_command(monkeypatch: pytest.MonkeyPatch, file: io.BytesIO, written: str) -> None:
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(file, encoding="ascii"))
    prepare_output()
    print("ä日", end="")
    sys.stdout.flush()
    assert file.getvalue().decode() == written


def test_an_argument_that_is_no_text_is_named(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def fail() -> None:
        "\udcff".encode()

    monkeypatch.setattr(sys, "argv", ["crawlhouse", "show", "https://example.com/no\udcff"])
    assert exit_code_of(fail) == 2
    assert r"'https://example.com/no\udcff' has bytes that are not UTF-8" in capsys.readouterr().err


LOOKING = [
    ("frontier", "list"), ("frontier", "retry", "news"), ("gate", "list"), ("gate", "accept", "news-1", "--reason", "x"),
    ("quarantine", "list"), ("quarantine", "show", "1"), ("quarantine", "retry", "1"),
    ("stop", "news"), ("fetch", "--run", "news"), ("index", "check"), ("index", "rebuild"), ("delete", "news", "--yes"),
    ("rollback", "news-1", "--reason", "x", "--yes"),
]  # fmt: skip


@pytest.mark.parametrize("arguments", LOOKING, ids=" ".join)
def test_a_home_in_which_nothing_was_crawled_is_not_made_by_looking_at_it(nowhere: Run, tmp_path: Path, arguments: tuple[str, ...]) -> None:
    home = tmp_path / "mistyped" / "home"
    ended = nowhere(*arguments, home=str(home))
    assert ended.code == 3
    assert str(home) in ended.err
    assert not home.parent.exists()
