"""The command as a whole: help, start-up, exit codes, and one message without a traceback for whatever goes wrong."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

from crawlhouse.command import _app_for, app
from crawlhouse.output.failures import exit_code_of
from schemas import errors
from schemas.errors import FencedError, GateError, ThresholdError
from tests import PROJECT
from tests.crawlhouse.conftest import Run, clean_environment, run_command

COMMANDS = sorted(command.callback.__name__.replace("_", "-") for command in app.registered_commands if command.callback)
HEAVY = ("duckdb", "pyarrow", "pyiceberg", "scrapy", "airflow", "pandas", "polars", "boto3", "sqlalchemy", "pydantic", "yaml")


def test_help_lists_every_command(tmp_path: Path) -> None:
    ended = run_command("--help", env=clean_environment(), cwd=tmp_path)
    assert (ended.code, ended.err) == (0, "")
    assert all(f" {name} " in ended.out for name in COMMANDS)
    assert "Exit codes" in ended.out


def test_every_exit_code_is_named_in_the_help_and_the_readme(tmp_path: Path) -> None:
    codes = {kind.exit_code for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, errors.CrawlhouseError)}
    helped = run_command("--help", env=clean_environment(), cwd=tmp_path).out.split("Exit codes")[1]
    for text in (helped, (PROJECT / "README.md").read_text(encoding="utf-8").split("Exit codes")[1]):
        assert [code for code in sorted(codes - {1}) if not re.search(rf"[,:\s]{code} [a-z]", text)] == []


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help_with_examples(nowhere: Run, name: str) -> None:
    ended = nowhere(name, "--help")
    assert ended.code == 0
    assert "Example" in ended.out
    assert f"crawlhouse {name}" in ended.out


def test_start_up_imports_nothing_heavy(tmp_path: Path) -> None:
    script = f"import sys, crawlhouse.command; print([name for name in {HEAVY!r} if name in sys.modules])"
    assert run_command("-c", script, env=clean_environment(), cwd=tmp_path, program=sys.executable).out == "[]\n"


def test_a_query_does_without_numpy(lake_home: Path, tmp_path: Path) -> None:
    script = """import sys, crawlhouse.command as c
sys.argv = ["crawlhouse", "query", "SELECT count(*), min(fetched_at), first(authors) FROM articles", "--format", "jsonl"]
try:
    c.main()
finally:
    print("numpy" in sys.modules, "pyarrow" in sys.modules, file=sys.stderr)"""
    ended = run_command("-c", script, env=clean_environment(home=str(lake_home)), cwd=tmp_path, program=sys.executable)
    assert (ended.code, ended.err) == (0, "False True\n")
    assert ended.out.startswith('{"count_star()": 3,')


def test_only_the_named_command_is_made() -> None:
    assert [one.callback.__name__ for one in _app_for(["show", "x"]).registered_commands if one.callback] == ["show"]
    for arguments in ([], ["--help"], ["frontier", "list"], ["shwo"]):
        assert _app_for(arguments) is app


def test_a_wrong_option_is_a_usage_error(nowhere: Run) -> None:
    ended = nowhere("query", "--nope")
    assert (ended.code, ended.out) == (2, "")


def test_no_lake_here(nowhere: Run) -> None:
    ended = nowhere("query", "SELECT 1")
    assert ended.code == 3
    assert ended.err.startswith("Error: No lake here: neither ")
    assert len(ended.err.splitlines()) == 1


def test_nothing_was_published_yet(nowhere: Run, tmp_path: Path) -> None:
    ended = nowhere("query", "SELECT 1", home=str(tmp_path / "home"))
    assert ended.code == 3
    assert "There is no lake in" in ended.err
    assert not (tmp_path / "home").exists()


@pytest.mark.parametrize(
    ("settings", "code", "message"),
    [
        ({"database": "postgresql://u:secret@127.0.0.1:1/x"}, 4, "does not answer"),
        ({"store": "http://127.0.0.1/x"}, 2, "CRAWLHOUSE_STORE is not valid"),
        ({"stoer": "/x"}, 2, "did you mean CRAWLHOUSE_STORE"),
    ],
)
def test_unreachable_and_malformed_settings(crawlhouse: Run, settings: dict[str, str], code: int, message: str) -> None:
    ended = crawlhouse("query", "SELECT 1", **settings)
    assert (ended.code, ended.out) == (code, "")
    assert message in ended.err
    assert "Traceback" not in ended.err
    assert "secret" not in ended.err


def test_a_damaged_catalog(crawlhouse: Run, tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    (home / "catalog.sqlite").write_bytes(b"half of something else" * 100)
    ended = crawlhouse("query", "SELECT 1", home=str(home))
    assert ended.code in {4, 5}
    assert "catalog" in ended.err
    assert "Traceback" not in ended.err


def test_a_disk_that_fills_while_a_file_is_written(lake_home: Path, tmp_path: Path) -> None:
    script = "ulimit -f 64; trap '' XFSZ; crawlhouse query 'SELECT * FROM articles, range(20000)' -o out.jsonl"
    ended = run_command("-c", script, env=clean_environment(home=str(lake_home)), cwd=tmp_path, program="/bin/bash")
    assert ended.code == 5
    assert ended.err.startswith("Error: The disk is full")
    assert list(tmp_path.iterdir()) == []


def test_the_password_stays_out_of_every_message(crawlhouse: Run) -> None:
    assert "geheim" not in crawlhouse("query", "SELECT 1", database="postgresql://me:geheim@127.0.0.1:1/x").err


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (ThresholdError("too few"), 9),
        (GateError("failed"), 8),
        (FencedError("a zombie"), 6),
        (KeyboardInterrupt(), 130),
        (SystemExit(4), 4),
    ],
)
def test_errors_end_in_their_exit_code(capsys: pytest.CaptureFixture[str], error: BaseException, code: int) -> None:
    def fail() -> None:
        raise error

    assert exit_code_of(fail) == code


def test_an_error_around_a_known_one_is_that_one(capsys: pytest.CaptureFixture[str]) -> None:
    def fail() -> None:
        try:
            raise ThresholdError("Only 3 pages.")
        except ThresholdError as error:
            raise RuntimeError("in a task group") from error

    assert exit_code_of(fail) == 9


def test_the_unexpected_is_short_and_leaves_its_story(crawlhouse: Run, lake_home: Path, tmp_path: Path) -> None:
    script = "import sys, crawlhouse.sql.query as q, crawlhouse.command as c; q.run_sql = lambda *_, **_more: 1 / 0; c.main()"
    environment = clean_environment(home=str(lake_home)) | {"TMPDIR": str(tmp_path)}
    ended = run_command("-c", script, "query", "SELECT 1", env=environment, cwd=tmp_path, program=sys.executable)
    assert ended.code == 1
    assert "Unexpected ZeroDivisionError" in ended.err
    assert "Traceback" not in ended.err
    (log,) = tmp_path.glob("crawlhouse-error-*.log")
    assert str(log) in ended.err
    assert "Traceback" in log.read_text()
