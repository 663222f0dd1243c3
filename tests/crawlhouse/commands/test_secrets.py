"""No password in what a command prints, nor in the log of an unexpected error."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.crawlhouse.conftest import Run, clean_environment, run_command

SECRET = "tr0ub4dor"
CLOSED = "127.0.0.1:9/db"  # nobody listens on this port
NO_ANSWER = {
    "userinfo": f"postgresql://u:{SECRET}@{CLOSED}",
    "at": f"postgresql://u:a@{SECRET}@{CLOSED}",
    "bracket": f"postgresql://u:{SECRET}[@{CLOSED}",
    "parameter": f"postgresql://u@{CLOSED}?password={SECRET}",
    "options": f"postgresql://u@{CLOSED}?options=-c%20search_path={SECRET}",
}
REFUSED = {
    "slash": f"postgresql://u:{SECRET}/x@{CLOSED}",
    "hash": f"postgresql://u:{SECRET}#x@{CLOSED}",
    "port": f"postgresql://u:p@127.0.0.1:{SECRET}/db",
    "scheme": f"mysql://u:{SECRET}@{CLOSED}",
    "unknown parameter": f"postgresql://u:{SECRET}@{CLOSED}?foo={SECRET}",
}


@pytest.mark.parametrize(("code", "url"), [*((4, url) for url in NO_ANSWER.values()), *((2, url) for url in REFUSED.values())])
def test_no_password_of_a_database_is_printed(crawlhouse: Run, tmp_path: Path, code: int, url: str) -> None:
    (tmp_path / "crawls").mkdir()
    (tmp_path / "crawls" / "c.yaml").write_text("seeds: [http://127.0.0.1:9/]\n")
    for command in (["query", "SELECT 1"], ["crawl", "c"], ["upgrade"], ["status"]):
        ended = crawlhouse(*command, home=str(tmp_path / "home"), database=url)
        assert SECRET not in ended.out + ended.err
        assert ended.code == code or command == ["status"], ended.err
    assert not [path for path in tmp_path.rglob("*") if path.is_file() and SECRET.encode() in path.read_bytes()]


def test_the_log_of_an_unexpected_error_is_private_and_without_secrets(lake_home: Path, tmp_path: Path) -> None:
    fail = f"raise ValueError('cannot reach postgresql://u:{SECRET}@db/x')"
    script = f"import crawlhouse.sql.query as q, crawlhouse.command as c\ndef f(*_, **_more): {fail}\nq.run_sql = f; c.main()"
    environment = clean_environment(home=str(lake_home)) | {"TMPDIR": str(tmp_path), "AWS_SECRET_ACCESS_KEY": "an-0ther-secret"}
    names = set()
    for _ in range(2):
        ended = run_command("-c", script, "query", "SELECT 1", env=environment, cwd=tmp_path, program=sys.executable)
        assert ended.code == 1
        assert SECRET not in ended.err
    for log in tmp_path.glob("crawlhouse-error-*.log"):
        names.add(log.name.split("Z-", 1)[1])
        assert log.stat().st_mode & 0o777 == 0o600
        assert "cannot reach postgresql://u:***@db/x" in log.read_text()
    assert len(names) == 2, "a name that is not only the time and the process"
