"""`crawlhouse check`, `crawl` and `process` on the demo's site: what they fetch, keep, print and refuse."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from shutil import copytree

import pytest

from crawlhouse.actions.lake.process import run_process
from crawlhouse.output.row_formats import ReportFormat
from schemas.config.crawl_file import read_crawl
from schemas.config.settings import Settings, make_home
from spiders.run import fetch, plan
from storage.frontier.frontier import open_frontier
from storage.ledger.held import Held, hold_rows
from storage.ledger.ledger import open_ledger
from tests import PROJECT
from tests.crawlhouse.conftest import COMMAND, Run, clean_environment
from tests.spiders.smallserver import Headers, small_server

CRAWL = """
seeds: [{seed}]
scope: {{exclude: [/odd/]}}
politeness: {{delay: {delay}, concurrency_per_host: 4, contact: tests@example.com}}
network: {{allow: [127.0.0.1/32]}}
budgets: {{max_pages: {pages}}}
thresholds: {{min_pages: {minimum}}}
"""

ONE = """
seeds: [{seed}]
scope: {{follow_links: false, sitemaps: false, feeds: false}}
politeness: {{delay: 0}}
network: {{allow: [127.0.0.1/32]}}
revisit: {{hubs_min: 24, hubs_max: 24}}
"""


@pytest.fixture(scope="module")
def site() -> Iterator[str]:
    """The demo's first site, on a free port."""
    command = [sys.executable, "-m", "demo.site", "--port", "0", "--second-port", "0", "--clock", "0", "--for", "600"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        yield json.loads(process.stdout.readline())["bases"][0]
        process.terminate()


@pytest.fixture
def project(tmp_path: Path, site: str) -> Path:
    """A project with a crawl of the site, one whose threshold cannot be met, and a broken file."""
    (tmp_path / "crawls").mkdir()
    for name, minimum in (("few", 1), ("many", 1000)):
        text = CRAWL.format(seed=site, delay=0, pages=15, minimum=minimum)
        (tmp_path / "crawls" / f"{name}.yaml").write_text(text)
    (tmp_path / "crawls" / "broken.yaml").write_text("seeds: [x]\n")
    return tmp_path


def test_from_a_trial_to_a_row(nowhere: Run, project: Path) -> None:
    tried = nowhere("check", "few", "--pages", "8")
    assert tried.code == 0
    assert "robots.txt is obeyed" in tried.out
    assert "robots_file" in tried.out
    assert "tests@example.com" in tried.out
    assert not (project / "var").exists()

    manifest = json.loads(nowhere("crawl", "few", "--format", "json").out)
    counts = manifest["counts"]
    assert counts["fetched"] >= 15
    assert counts["due"] == sum(counts[name] for name in ("fetched", "denied", "failed", "filtered", "left_over"))

    report = json.loads(nowhere("process", "few", "-f", "json").out)
    assert report["records"] == sum(report[name] for name in ("published", "known", "duplicate", "quarantined", "rejected"))
    again = nowhere("process", "few")
    assert (again.code, again.out) == (0, "")
    assert "Nothing to process" in again.err

    (url,) = json.loads(nowhere("query", "SELECT any_value(url) AS url FROM articles", "-f", "json").out)
    shown = nowhere("show", url["url"])
    assert "(computed again: equal)" in shown.out


def test_a_missed_threshold_is_exit_code_9_and_keeps_what_came(nowhere: Run, project: Path) -> None:
    ended = nowhere("crawl", "many")
    assert ended.code == 9
    assert "fewer than thresholds.min_pages = 1000" in ended.err
    assert "= fetched" in ended.out
    assert nowhere("process", "many").code == 0


@pytest.mark.parametrize("status", [302, 404])
def test_a_crawl_that_fetches_nothing_is_exit_code_9(nowhere: Run, tmp_path: Path, status: int) -> None:
    def answer(path: str, _: int) -> tuple[int, Headers, bytes]:
        return (status, {"Location": "http://another.example/"}, b"") if path == "/" else (404, {}, b"")

    with small_server(answer) as server:
        (tmp_path / "crawls").mkdir()
        (tmp_path / "crawls" / "away.yaml").write_text(
            f"seeds: ['{server.base}/']\nnetwork: {{allow: [127.0.0.1/32]}}\npoliteness: {{delay: 0, contact: tests@example.com}}\n"
        )
        ended = nowhere("crawl", "away")
    if status == 404:  # the site answered
        assert (ended.code, "fetched nothing" in ended.err) == (0, False)
    else:
        assert ended.code == 9
        assert "fetched nothing. Worst was 127.0.0.1" in ended.err
        assert "filtered by out_of_scope (1) of its 1 URL" in ended.err
        assert "`crawlhouse check away` shows what came back" in ended.err


def test_a_later_run_in_which_only_a_known_failure_is_due_is_no_failure(nowhere: Run, tmp_path: Path) -> None:
    """A crawl that recurs in a cron job: its thresholds say what is a failure. What the command names must come."""

    def answer(path: str, _: int) -> tuple[int, Headers, bytes]:
        return (302, {"Location": "http://another.example/"}, b"") if path == "/away" else (200, {"Content-Type": "text/html"}, b"<p>Here.")

    with small_server(answer) as server:
        (tmp_path / "crawls").mkdir()
        (tmp_path / "crawls" / "recurs.yaml").write_text(
            f"seeds: ['{server.base}/', '{server.base}/away']\nnetwork: {{allow: [127.0.0.1/32]}}\n"
            "politeness: {delay: 0, contact: tests@example.com}\n"
        )
        assert nowhere("crawl", "recurs").code == 0
        assert nowhere("frontier", "retry", "recurs", "--outcome", "filtered", "--reason", "out_of_scope").code == 0
        again = nowhere("crawl", "recurs")
        assert (again.code, "fetched nothing. Worst was 127.0.0.1" in again.err) == (0, True)
        assert nowhere("crawl", "recurs", "--url", f"{server.base}/away").code == 9


@pytest.mark.chaos
def test_an_interrupted_run_goes_on(project: Path, site: str) -> None:
    slow = project / "crawls" / "slow.yaml"
    slow.write_text(CRAWL.format(seed=site, delay=1, pages=12, minimum=1))
    command = [str(COMMAND), "crawl", "slow", "--format", "json"]
    with subprocess.Popen(command, cwd=project, env=clean_environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        with suppress(subprocess.TimeoutExpired):
            process.wait(8)
        second = subprocess.run(command, cwd=project, env=clean_environment(), capture_output=True, text=True, check=False)
        assert (second.returncode, "Another command is running" in second.stderr) == (6, True)
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 128 + signal.SIGTERM
    after = subprocess.run(command, cwd=project, env=clean_environment(), capture_output=True, text=True, check=False)
    assert "which was interrupted" in after.stderr
    assert json.loads(after.stdout)["counts"]["fetched"] >= 12


def test_a_run_that_was_interrupted_while_it_was_closed_goes_on_too(nowhere: Run, project: Path) -> None:
    settings = Settings(home=project / "var", crawls=project / "crawls", store="", database="")
    run = plan(read_crawl(project / "crawls" / "few.yaml"), "by hand 1", settings).crawl_run
    fetch(run, "w1", settings)
    frontier = open_frontier(settings)
    frontier.begin_close(run)
    frontier.close()
    after = nowhere("crawl", "few", "-f", "json")
    assert after.code == 0, after.err
    assert f"Going on with {run}, which was interrupted" in after.err
    told = json.loads(after.out)
    assert (after.code, told["crawl_run"], told["counts"]["fetched"]) == (0, run, 15)
    assert open_ledger(settings).unclosed_runs("few") == {}


def test_urls_that_are_named_are_fetched_now(nowhere: Run, project: Path, site: str) -> None:
    """Once known and not due, a page is fetched again when it is asked for, and only then."""
    (project / "crawls" / "one.yaml").write_text(ONE.format(seed=f"{site}/city/"))
    first = json.loads(nowhere("crawl", "one", "-f", "json").out)
    idle = nowhere("crawl", "one")
    assert (first["counts"]["fetched"], idle.code, idle.out) == (1, 0, "")
    assert "Nothing of one is due; next at" in idle.err
    (project / "list.txt").write_text(f"# pages to see again\n\n{site}/business/\n")
    asked = nowhere("crawl", "one", "--url", f"{site}/city/", "--urls-from", str(project / "list.txt"), "-f", "json")
    assert json.loads(asked.out)["counts"]["fetched"] == 2
    wrong = nowhere("crawl", "one", "--url", "ftp://example.com/")
    assert (wrong.code, "'ftp://example.com/' is not a URL that can be fetched" in wrong.err) == (2, True)
    missing = nowhere("crawl", "one", "--urls-from", "nowhere.txt")
    assert (missing.code, "nowhere.txt cannot be read" in missing.err) == (3, True)
    (project / "list.txt").write_text("# none\n")
    assert "names no URL" in nowhere("crawl", "one", "--urls-from", str(project / "list.txt")).err


def test_a_run_that_is_not_closed_is_named_when_there_is_nothing_to_process(nowhere: Run, project: Path) -> None:
    settings = Settings(home=project / "var", crawls=project / "crawls", store="", database="")
    run = plan(read_crawl(project / "crawls" / "few.yaml"), "by hand 1", settings)
    ended = nowhere("process", "few")
    assert ended.code == 0
    assert f"`crawlhouse crawl few` finishes {run.crawl_run}, which is not closed yet" in ended.err


def test_a_segment_that_was_cut_off(nowhere: Run, project: Path) -> None:
    fetched = json.loads(nowhere("crawl", "few", "-f", "json").out)
    segment = max((project / "var" / "store" / "warc").rglob("*.warc.gz"), key=lambda path: path.stat().st_size)
    segment.write_bytes(segment.read_bytes()[:-3000])
    ended = nowhere("process", "few", "-f", "json")
    assert ended.code == 5
    assert "1 record of the archive cannot be read" in ended.err
    report = json.loads(ended.out)
    assert report["reasons"]["rejected: damaged_record"] >= 1
    assert report["records"] == sum(report[name] for name in ("published", "known", "duplicate", "quarantined", "rejected"))
    assert report["records"] >= fetched["counts"]["fetched"]


@pytest.mark.chaos
def test_a_disk_that_fills_during_a_crawl(project: Path) -> None:
    command = f"ulimit -f 100; trap '' XFSZ; exec {COMMAND} crawl few"
    full = subprocess.run(["/bin/bash", "-c", command], cwd=project, env=clean_environment(), capture_output=True, text=True, check=False)
    assert full.returncode in {4, 5}
    assert "Traceback" not in full.stderr
    again = [str(COMMAND), "crawl", "few", "-f", "json"]
    whole = subprocess.run(again, cwd=project, env=clean_environment(), capture_output=True, text=True, check=False)
    counts = json.loads(whole.stdout)["counts"]
    assert counts["due"] == sum(counts[name] for name in ("fetched", "denied", "failed", "filtered", "left_over"))
    assert counts["fetched"] >= 15


def test_broken_files_beside_good_ones(nowhere: Run, project: Path) -> None:
    ended = nowhere("check")
    assert ended.code == 2
    assert "few" in ended.out
    assert "broken.yaml: line 1: seeds.0.url" in ended.err
    assert nowhere("check", "few", "--offline").code == 0


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["crawl", "broken"], 2, "broken.yaml: line 1"),
        (["check", "nowhere.yaml"], 3, "There is no crawl file nowhere.yaml"),
        (["crawl", "fwe"], 3, "Did you mean 'few'?"),
        (["process", "fwe"], 3, "Did you mean 'few'?"),
    ],
)
def test_what_is_refused(nowhere: Run, project: Path, arguments: list[str], code: int, message: str) -> None:
    ended = nowhere(*arguments)
    assert (ended.code, ended.out) == (code, "")
    assert message in ended.err


def test_nothing_came_back(nowhere: Run, project: Path) -> None:
    (project / "crawls" / "dead.yaml").write_text("seeds: [http://127.0.0.1:1/]\n")
    ended = nowhere("check", "dead")
    assert ended.code == 4
    assert "Nothing came back from 127.0.0.1:1" in ended.err


def test_a_home_that_cannot_be_written(nowhere: Run, project: Path) -> None:
    (project / "var").write_text("in the way")
    ended = nowhere("crawl", "few")
    assert ended.code == 5
    assert "Set CRAWLHOUSE_HOME elsewhere" in ended.err


RULED = PROJECT / "tests" / "processing" / "article" / "ruled"


def test_golden_pages_beside_the_crawl_are_read_with_its_rules(nowhere: Run, tmp_path: Path) -> None:
    copytree(RULED, tmp_path / "crawls")
    ended = nowhere("check", "ruled", "--offline")
    assert ended.code == 0
    assert f"ruled: {len(list((RULED / 'ruled.golden').iterdir()))} golden pages are read as expected." in ended.err
    path = tmp_path / "crawls" / "ruled.yaml"
    path.write_text(path.read_text().replace("p.summary", "p.renamed", 1))
    for command in (["check", "ruled", "--offline"], ["check", "ruled"], ["check"], ["check", str(path)]):
        ended = nowhere(*command)
        assert ended.code == 2
        assert "1 of 11 golden pages in" in ended.err
        assert "are not read as expected: description." in ended.err
        assert "After two days of fog" in ended.out
        assert "All the news of the" in ended.out
    assert nowhere("rename", "ruled", "renamed").code == 0
    assert "1 of 11 golden pages" in nowhere("check", "renamed").err


def test_a_rule_that_is_no_selector_stops_a_crawl_before_it_begins(nowhere: Run, tmp_path: Path) -> None:
    copytree(RULED, tmp_path / "crawls")
    path = tmp_path / "crawls" / "ruled.yaml"
    path.write_text(path.read_text().replace("b.headline", "'b.['", 1))
    for command in (["check", "ruled", "--offline"], ["check"], ["crawl", "ruled"]):
        ended = nowhere(*command)
        assert ended.code == 2
        assert "ruled.yaml: line 6: articles.rules.title.example.title: 'b.[' is not a CSS selector" in ended.err
    assert not (tmp_path / "var").exists()


def test_a_rule_that_is_no_selector_stops_the_processing_before_it_begins(nowhere: Run, project: Path) -> None:
    assert nowhere("crawl", "few").code == 0
    path = project / "crawls" / "few.yaml"
    right = path.read_text()
    path.write_text(right + "articles: {rules: {127.0.0.1: {remove: [aside, 'p >']}}}\n")
    ended = nowhere("process", "few")
    assert ended.code == 2
    assert "few.yaml: line 8: articles.rules.127.0.0.1.remove.1: 'p >' is not a CSS selector" in ended.err
    path.write_text(right)
    assert json.loads(nowhere("process", "few", "-f", "json").out)["published"]


def test_with_nothing_to_process_the_runs_that_wait_for_a_decision_are_named(
    sqlite_settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    sqlite_settings.crawls.mkdir(parents=True)
    (sqlite_settings.crawls / "news.yaml").write_text("seeds: [https://news.example.com/]\n")
    make_home(sqlite_settings)
    run_process("news", sqlite_settings, ReportFormat.TABLE)
    assert "news has no closed run yet" in capsys.readouterr().err
    held = [Held(f"news-{number}", dataset, "news", "rolled back by eve: ") for number in range(7) for dataset in ("articles", "prices")]
    hold_rows(open_ledger(sqlite_settings).database, "p-1", held)
    run_process("news", sqlite_settings, ReportFormat.TABLE)
    message = " ".join(capsys.readouterr().err.split())
    assert "rows of news-0, news-1, news-2, news-3, news-4, and 2 more are held back or rolled back" in message
    assert "crawlhouse gate accept RUN" in message
