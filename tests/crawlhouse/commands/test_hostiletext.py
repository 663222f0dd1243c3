"""Text of pages, URLs and arguments cannot control a terminal or a spreadsheet, whichever command prints it. Data formats keep it."""

from __future__ import annotations

import csv
import json
import os
import pty
import subprocess
import sys
from io import StringIO
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from schemas.config.settings import make_settings
from schemas.printable import printable
from storage.frontier.frontier import open_frontier
from storage.lake.takedown import add_takedowns
from storage.ledger.ledger import open_ledger
from storage.objects.open import open_store
from tests.crawlhouse.conftest import Run, clean_environment
from tests.crawlhouse.smalllake import ARTICLE, publish_small_lake

HOSTILE = "=1+1\x1b]0;pwned\x07\x1b[31mRED\x1b[2J \u202edesrever\u202c \x9b31m \u200b [red]markup[/red] [link=http://evil.example]x[/link]"
CRAWL = f"description: \"{'[red]'}\\e[31m \\u202e\"\nseeds: ['https://a.example/']\n"

SHOWN = [
    ("query", "SELECT title, url FROM articles"),
    ("query", "SELECT * FROM articles"),  # too wide: as records
    ("query", "SELECT 1 AS \"\x1b[31m\u202ecol\""),
    ("query", "SELECT 'a\nb' AS two_lines"),
    ("show", ARTICLE),
    ("show", ARTICLE, "-f", "json"),
    ("query", "SELECT title FROM articles", "-f", "json"),
    ("explain", ARTICLE, "--crawl", "small"),
    ("check", "--offline", "small"),
    ("check",),
    ("status",),
    ("status", "-f", "json"),
    ("takedown", "list"),
    ("takedown", "list", "-f", "json"),
    ("frontier", "list"),
    ("query", "SELECT * FROM \"\x1b[31m\u202enope\""),
    ("query", "SELECT '\x1b[31m' FROM"),
    ("query", "SELECT 1", "--no\x1b[31m\u202e"),
    ("query", "SELECT 1", "--rows", "\x1b[31m\u202e"),
    ("no\x1b[31m\u202esuch",),
    ("frontier", "no\x1b[31m\u202esuch"),
    ("frontier", "list", "--state", "\x1b[31m\u202e"),
    ("crawl", "\x1b[31m\u202enope"),
    ("explain", "http://h.example/\x1b[31m\u202e"),
    ("show", "http://h.example/\u202ex\x1b[31m"),
    ("takedown", "remove", "\x1b[31m\u202e"),
    ("frontier", "list", "--crawl", "\x1b[31m\u202e"),
    ("stop", "\x1b[31m\u202e"),
]  # fmt: skip


@pytest.fixture(scope="module")
def hostile_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("hostile") / "home"
    publish_small_lake(home, HOSTILE)
    settings = make_settings(home=home)
    open_frontier(settings).close()
    open_ledger(settings).close()
    add_takedowns(settings, open_store(settings), ["gone.example"], "a \x1b[31m letter \u202e [red]")
    (home / "crawls").mkdir()
    (home / "crawls" / "small.yaml").write_text(CRAWL, encoding="utf-8")
    return home


@pytest.fixture
def run(hostile_home: Path, crawlhouse: Run) -> Run:
    return lambda *arguments: crawlhouse(*arguments, home=str(hostile_home), crawls=str(hostile_home / "crawls"))


@pytest.mark.parametrize("arguments", SHOWN, ids=lambda arguments: printable(" ".join(arguments[:2])))
def test_nothing_that_acts_on_a_terminal_is_printed(run: Run, arguments: tuple[str, ...]) -> None:
    ended = run(*arguments)
    assert "Unexpected" not in ended.err
    for text in (ended.out, ended.err):
        assert [ascii(line) for line in text.splitlines() if printable(line) != line] == []


def test_a_title_is_shown_with_escapes_and_without_markup(run: Run) -> None:
    shown = run("query", "SELECT title FROM articles_latest").out
    assert r"\x1b]0;pwned\x07\x1b[31mRED\x1b[2J \u202edesrever" in shown
    tail = run("query", "SELECT right(title, 60) AS tail FROM articles_latest").out
    assert "[red]markup[/red] [link=http://evil.example]x[/link]" in tail
    assert "a b" in run("query", "SELECT 'a\nb' AS two_lines").out


def test_csv_holds_no_formula_unless_it_is_asked_for(run: Run, tmp_path: Path) -> None:
    sql = "SELECT title, -3 AS number, '-4' AS text, '@x' AS \"=head\", ['=1'] AS list FROM articles_latest LIMIT 1"
    row = next(csv.DictReader(StringIO(run("query", sql, "-f", "csv").out, newline="")))
    assert row["title"].startswith(r"'=1+1\x1b]0;pwned\x07")
    assert (row["number"], row["text"], row["'=head"], row["list"]) == ("-3", "-4", "'@x", '["=1"]')
    raw = next(csv.DictReader(StringIO(run("query", sql, "-f", "csv", "--raw").out, newline="")))
    assert (raw["title"], raw["=head"]) == (HOSTILE, "@x")
    assert run("query", sql, "-o", "raw.csv", "--raw").code == 0
    written = (tmp_path / "raw.csv").read_bytes().decode()
    assert next(csv.DictReader(StringIO(written, newline="")))["title"] == HOSTILE


def test_formats_for_programs_keep_the_text(run: Run, tmp_path: Path) -> None:
    sql = "SELECT title FROM articles_latest LIMIT 1"
    assert json.loads(run("query", sql, "-f", "json").out) == [{"title": HOSTILE}]
    assert json.loads(run("query", sql, "-f", "jsonl").out) == {"title": HOSTILE}
    assert run("query", sql, "-o", "a.parquet").code == 0
    assert pq.read_table(tmp_path / "a.parquet").to_pylist() == [{"title": HOSTILE}]
    assert json.loads(run("show", ARTICLE, "-f", "json").out)["article"]["title"] == HOSTILE
    assert HOSTILE in run("show", ARTICLE, "--html").out  # into a pipe as it was received
    assert b"WARC/1.1" in run("show", ARTICLE, "--raw").raw


def test_a_terminal_gets_no_escape_but_our_own(hostile_home: Path, tmp_path: Path) -> None:
    commands = [
        ["query", "SELECT title FROM articles_latest"], ["query", "SELECT title FROM articles_latest", "-f", "csv"],
        ["query", "SELECT title FROM articles_latest", "-f", "csv", "--raw"], ["query", "SELECT title FROM articles", "-f", "jsonl"],
        ["show", ARTICLE], ["show", ARTICLE, "--html"], ["show", ARTICLE, "--raw"], ["explain", ARTICLE, "--crawl", "small"],
        ["crawl", "no\x1b[31m"],
    ]  # fmt: skip
    live = "with console.progress_line() as tell: tell('[red]\\x1b[2J \\u202e progress')"
    script = (
        "from crawlhouse import console; from crawlhouse.command import app; from crawlhouse.output.failures import exit_code_of\n"
        f"for given in {commands!r}: exit_code_of(lambda: app(given))\n{live}"
    )
    shown = _on_terminal(script, clean_environment(home=str(hostile_home), crawls=str(hostile_home / "crawls")), tmp_path)
    assert shown.count("desrever") >= 8
    assert r"[red]\x1b[2J \u202e progress" in shown
    for sequence in ("\x1b]0;", "\x1b[2J", "\x1b[31mRED", "\x07", "\x9b", "\u202e", "\u202c", "\u200b", "\x1b]8;"):
        assert sequence not in shown, ascii(sequence)


def _on_terminal(script: str, environment: dict[str, str], folder: Path) -> str:
    """What a Python script writes to a terminal, on standard output and standard error."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-c", script], stdout=theirs, stderr=theirs, env=environment | {"TERM": "xterm"}, cwd=folder
    )
    os.close(theirs)
    written = b""
    while True:
        try:
            read = os.read(ours, 65_536)
        except OSError:  # how Linux says that the other end is closed
            break
        written += read
    os.close(ours)
    assert process.wait(60) == 0
    return written.decode()
