"""Pages whose text is made by scripts, in a real Chromium: what is archived, what becomes an article, and what a page may not do."""

from __future__ import annotations

import gzip
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import psutil
import pytest

from processing.stages import process_once
from schemas.config.crawl_file import parse_crawl
from schemas.config.settings import Settings
from schemas.errors import ConfigError
from schemas.outcomes import Rejected
from spiders.browser.browser import check_browser
from spiders.browser.sandbox import SANDBOX
from spiders.run import plan
from storage.lake.query import connect
from storage.objects.open import open_store
from storage.warc.reader import read_record_at, read_records
from tests import PROJECT
from tests.spiders.crawling import crawl_urls
from tests.spiders.smallserver import Headers, SmallServer, small_server

needs_chromium = pytest.mark.skipif(
    find_spec("playwright") is None or shutil.which("chromium") is None,
    reason="NOT RENDERED: needs Playwright (pip install 'crawlhouse[browser]') and chromium on the PATH",
)
pytestmark = [pytest.mark.browser, pytest.mark.timeout(180)]

SENTENCES = [
    "The keeper of the lighthouse said on Tuesday that the new lamp had burned for ninety nights without a pause.",
    "Nobody on the island could remember a winter in which so few ships had come near the rocks below the chapel.",
    "Fishermen from the harbour had asked the council for a brighter light since two boats were lost in the fog last spring.",
    "An engineer brought the lens from the mainland in eleven crates, each of them carried up the stairs by hand.",
    "Her first measurements show a beam that reaches some thirty kilometres on a clear evening, twice as far as before.",
    "Critics fear that migrating birds will lose their way; an ornithologist is to count them until the end of October.",
    "For the old lamp, which dates from 1931, the museum behind the market hall has already cleared its largest room.",
    "Visitors may climb the tower again from the first weekend in June, provided that the wind allows it.",
]
ORDINAL = {
    "one": "This is the first of two reports from the northern lights; the second one follows tomorrow morning. "
    "It goes to the workshop on the mainland where the last grinders of such lenses teach their craft to three young apprentices.",
    "two": "Yesterday we told of the lamp itself, today the people who look after such towers along the western coast have their say. "
    "Most of them learned it from a parent, and hardly anyone expects that a child will take over before the lamps run without people.",
    "x": "",
}
SHELL = b"<!doctype html><html lang=en><head><title>Loading</title><meta charset=utf-8></head><body><div id=app></div>%s</body></html>"
SCRIPT = b"""
fetch('/api' + location.pathname + '.json').then(answer => answer.json()).then(story => {
  document.title = story.title
  document.getElementById('app').innerHTML = '<nav><a href="/story/two">next</a></nav><article><h1>' + story.title + '</h1>' +
    story.text.map(line => '<p>' + line + '</p>').join('') + '</article><img src="/picture.png">'
})
"""


def newsroom(path: str, times: int) -> tuple[int, Headers, bytes]:
    if path == "/robots.txt":
        return 200, {"Content-Type": "text/plain"}, b"User-agent: *\nDisallow: /private/\n"
    if path.startswith("/story/"):
        return 200, {"ETag": '"shell"'}, SHELL % b"<script src=/app.js></script>"
    if path == "/app.js":
        return 200, {"Content-Type": "text/javascript", "Content-Encoding": "gzip"}, gzip.compress(SCRIPT)
    if path.startswith("/api/"):
        place = path.partition("/story/")[2].partition(".")[0]
        story = {"title": f"Lighthouse {place} keeps its lamp", "text": [*SENTENCES, ORDINAL[place]]}
        return 200, {"Content-Type": "application/json"}, json.dumps(story).encode()
    return 404, {}, b""


@pytest.fixture
def paper() -> Iterator[SmallServer]:
    with small_server(newsroom) as server:
        yield server


BROWSER = "browser: {pages: [/story/], timeout: 15}"


@pytest.fixture(autouse=True)
def sandbox(monkeypatch: pytest.MonkeyPatch) -> None:
    """As root Chromium runs without its sandbox only."""
    if os.geteuid() == 0:
        monkeypatch.setenv(SANDBOX, "off")


@needs_chromium
def test_a_page_made_by_a_script_becomes_an_article(paper: SmallServer, sqlite_settings: Settings) -> None:
    done = crawl_urls(sqlite_settings, [f"{paper.base}/story/one"], BROWSER)
    assert done.manifest.reasons == {}
    assert done.manifest.counts.fetched == 2  # the second is known by a link that the script made
    kinds = Counter((row.record_type, row.kind) for row in done.rows if row.kind != "robots")
    assert kinds == {("response", "shell"): 2, ("conversion", "page"): 2}
    assert "/picture.png" not in paper.paths()
    assert Counter(paper.paths())["/app.js"] == 1  # shared by both pages
    assert {one.headers["User-Agent"] for one in paper.asked} == {paper.asked[0].headers["User-Agent"]}

    report = process_once("test", sqlite_settings)
    assert report is not None
    assert report.records == len(done.rows)
    assert {name: count for name, count in report.reasons.items() if "rendered" in name or "quarantined" in name} == {
        "rejected: rendered": 2
    }
    assert report.published == 2
    with connect(sqlite_settings) as lake:
        rows = lake.execute("SELECT title, text FROM articles ORDER BY url").fetchall()
    assert [title for title, _ in rows] == ["Lighthouse one keeps its lamp", "Lighthouse two keeps its lamp"]
    assert all(line in text for _, text in rows for line in SENTENCES)


@needs_chromium
def test_the_archive_has_the_page_as_sent_and_as_rendered(paper: SmallServer, sqlite_settings: Settings) -> None:
    done = crawl_urls(sqlite_settings, [f"{paper.base}/story/one"], BROWSER + "\nscope: {follow_links: false}")
    store = open_store(sqlite_settings)
    segment = done.manifest.segments[0]
    with store.open(segment.warc_key) as stream:
        records = [record for record in read_records(stream, segment.warc_key) if not isinstance(record, Rejected)]
    assert [record.pointer.warc_record_offset for record in records] == [row.warc_record_offset for row in done.rows]
    assert [record.capture.kind for record in records if record.capture.url.endswith("/one")] == ["shell", "page"]
    sent, rendered = [row for row in done.rows if row.url.endswith("/one")]
    assert read_record_at(store, sent.pointer).capture.body == SHELL % b"<script src=/app.js></script>"
    made = read_record_at(store, rendered.pointer).capture
    assert made.header("content-type") == "text/html; charset=utf-8"
    assert b"<h1>Lighthouse one keeps its lamp</h1>" in made.body
    checked = subprocess.run(
        [Path(sys.executable).parent / "warcio", "check", Path(sqlite_settings.store_url()) / segment.warc_key],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (checked.returncode, checked.stdout.count("fail")) == (0, 0), checked.stdout
    cdxj = next((sqlite_settings.home / "store" / "cdxj").rglob("*.cdxj")).read_text(encoding="utf-8")
    assert sum("/one" in line for line in cdxj.splitlines()) == 1


@pytest.mark.chaos
@needs_chromium
def test_an_unchanged_page_is_rendered_again_and_known(paper: SmallServer, sqlite_settings: Settings) -> None:
    at_once = "revisit: {feeds_max: 0, sitemaps_max: 0, hubs_max: 0, articles_min: 0, articles_max: 0}"
    crawl_urls(sqlite_settings, [f"{paper.base}/story/one"], f"{BROWSER}\n{at_once}")
    process_once("test", sqlite_settings)
    again = crawl_urls(sqlite_settings, [f"{paper.base}/story/one"], f"{BROWSER}\n{at_once}")
    assert not [one for one in paper.asked if "If-None-Match" in one.headers]
    assert again.manifest.counts.fetched == 2
    report = process_once("test", sqlite_settings)
    assert report is not None
    assert (report.published, report.known) == (0, 2)


HOSTILE = b"""
const say = text => { document.body.insertAdjacentHTML('beforeend', '<p>' + text + '</p>') }
const ask = (name, url) => fetch(url).then(answer => answer.text()).then(text => say(name + ' got ' + text), () => say(name + ' refused'))
const all = [ask('private', 'http://127.0.0.1:%(other)d/'), ask('named', 'http://localhost:%(other)d/'), ask('robots', '/private/data'),
  ask('post', new Request('/api/story/x.json', {method: 'POST'})), ask('own', '/api/story/x.json'), ask('file', 'file:///etc/hostname')]
new WebSocket('ws://127.0.0.1:%(other)d/').onerror = () => say('socket refused')
document.body.insertAdjacentHTML('beforeend', '<iframe src="http://127.0.0.1:%(other)d/frame"></iframe><img src="http://127.0.0.1:%(other)d/i.png">')
Promise.all(all).then(() => { say('cookies: [' + document.cookie + ']'); location.href = 'http://127.0.0.1:%(other)d/away' })
"""


@needs_chromium
def test_a_page_gets_nowhere_but_where_the_crawl_may_go(sqlite_settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CRAWLHOUSE_SECRET_MEMBERS", '{"cookies": {"session": "c0ffee"}, "headers": {"X-Key": "k3y"}}')
    with small_server(lambda path, times: (200, {"Access-Control-Allow-Origin": "*"}, b"inside")) as other:
        port = int(other.base.rpartition(":")[2])

        def respond(path: str, times: int) -> tuple[int, Headers, bytes]:
            if path == "/story/hostile":
                return 200, {"Set-Cookie": "tracker=1"}, SHELL % (b"<script>" + HOSTILE % {b"other": port} + b"</script>")
            return newsroom(path, times)

        with small_server(respond) as paper:
            extra = f"{BROWSER}\nscope: {{follow_links: false}}\ncredentials: [{{origin: '{paper.base}', secret: members}}]"
            done = crawl_urls(sqlite_settings, [f"{paper.base}/story/hostile"], extra)
        assert other.asked == []
    row = next(row for row in done.rows if row.record_type == "conversion")
    html = read_record_at(open_store(sqlite_settings), row.pointer).capture.body.decode()
    for refused in ("private", "named", "robots", "post", "file", "socket"):
        assert f"{refused} refused" in html
    assert "own got {" in html
    assert "cookies: []" in html
    assert "c0ffee" not in html
    assert {one.path: one.headers.get("Cookie") for one in paper.asked if "story" in one.path} == {
        "/story/hostile": "session=c0ffee",
        "/api/story/x.json": "session=c0ffee",
    }
    assert "/private/data" not in paper.paths()


@pytest.mark.chaos
@needs_chromium
def test_a_page_that_never_rests_is_taken_as_it_is(sqlite_settings: Settings) -> None:
    busy = b"<p>Here already.<script>setInterval(() => fetch('/api/story/x.json'), 100)</script>"

    def respond(path: str, times: int) -> tuple[int, Headers, bytes]:
        return (200, {}, SHELL % busy) if path == "/story/busy" else newsroom(path, times)

    with small_server(respond) as server:
        begin = time.monotonic()
        done = crawl_urls(sqlite_settings, [f"{server.base}/story/busy"], "browser: {pages: [/story/], timeout: 6}")
        assert time.monotonic() - begin < 30
    assert Counter(row.record_type for row in done.rows if row.kind != "robots") == {"response": 1, "conversion": 1}
    assert done.manifest.counts.fetched == 1


@needs_chromium
def test_a_page_that_cannot_be_rendered_is_archived_and_comes_again(sqlite_settings: Settings) -> None:
    def respond(path: str, times: int) -> tuple[int, Headers, bytes]:
        return (200, {}, SHELL % b"<script>for (;;) {}</script>") if path == "/story/endless" else newsroom(path, times)

    with small_server(respond) as server:
        done = crawl_urls(sqlite_settings, [f"{server.base}/story/endless"], "browser: {pages: [/story/], timeout: 1}")
    assert done.outcomes == {f"{server.base}/story/endless": "failed:render_error"}
    assert {row.url for row in done.rows} >= {f"{server.base}/story/endless"}


@needs_chromium
def test_the_browser_dies_with_its_worker(sqlite_settings: Settings, tmp_path: Path) -> None:
    def respond(path: str, times: int) -> tuple[int, Headers, bytes]:
        if path.startswith("/api/"):
            time.sleep(20)
        return newsroom(path, times)

    with small_server(respond) as server:
        text = f"seeds: [{server.base}/story/one]\nnetwork: {{allow: [127.0.0.1/32]}}\npoliteness: {{delay: 0}}\n{BROWSER}"
        run = plan(parse_crawl(text, "test"), "k", sqlite_settings).crawl_run
        given = {f"CRAWLHOUSE_{name.upper()}": str(value) for name, value in sqlite_settings.model_dump().items() if value}
        command = [sys.executable, "-m", "spiders.worker", "--run", run, "--worker", "w", "--statistics", str(tmp_path / "w.json")]
        worker = subprocess.Popen(command, env={**os.environ, **given}, process_group=0)
        while not any(path.startswith("/app.js") for path in server.paths()):
            time.sleep(0.1)
        family = psutil.Process(worker.pid).children(recursive=True)
        assert any("chrom" in one.name() for one in family)
        os.killpg(worker.pid, signal.SIGKILL)
        worker.wait()
        assert psutil.wait_procs(family, timeout=20)[1] == []


RENDERS = """
import asyncio, os, psutil
from datetime import UTC, datetime
from schemas.capture import Capture
from schemas.config.crawl_file import parse_crawl
from spiders.browser.browser import PageBrowser, check_browser
from spiders.browser.subresources import BrowserResponse

class OwnPage:
    async def browser_response(self, capture):
        return BrowserResponse(capture.status, {"content-type": "text/html"}, capture.body)

crawl = parse_crawl("seeds: [http://a.example/]\\nbrowser: {pages: [.]}", "x")
page = b"<meta charset=utf-8><p id=x></p><script>document.getElementById('x').textContent = 'made ' + 'here'</script>"

async def main():
    browser = PageBrowser(crawl, OwnPage())
    html = ((b"Content-Type", b"text/html"),)
    rendered = await browser.render(Capture("http://a.example/", datetime.now(UTC), 200, "OK", "HTTP/1.1", (), html, page))
    assert b"made here" in rendered.body
    await browser._browser.new_page()
    for process in psutil.Process().children(recursive=True):
        with open(f"/proc/{process.pid}/cmdline") as command:
            arguments = command.read()
        if "--type=renderer" in arguments:
            with open(f"/proc/{process.pid}/status") as status:
                print("--no-sandbox" in arguments, "Seccomp:\\t2" in status.read(), process.uids().real)
    await browser.close()

check_browser(crawl)
asyncio.run(main())
"""


@needs_chromium
def test_chromium_runs_in_its_sandbox_as_any_user_but_root(tmp_path: Path) -> None:
    script = tmp_path / "renders.py"
    script.write_text(RENDERS, encoding="utf-8")
    environment = {name: value for name, value in os.environ.items() if name != SANDBOX}
    environment |= {"PYTHONPATH": str(PROJECT), "HOME": str(tmp_path), "TMPDIR": "/tmp"}
    user = []
    if os.geteuid() == 0:  # as nobody, who may read all files: this interpreter may lie in a folder of root's
        if shutil.which("setpriv") is None:
            pytest.skip("NOT RENDERED: as root this needs setpriv")
        may = "-all,+dac_read_search"
        user = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", f"--inh-caps={may}", f"--ambient-caps={may}"]
        (tmp_path).chmod(0o777)
    done = subprocess.run([*user, sys.executable, str(script)], env=environment, capture_output=True, text=True, timeout=90, check=False)
    if "allows no user namespaces" in done.stderr:
        pytest.skip("NOT RENDERED: this system has no sandbox for Chromium")
    assert done.returncode == 0, done.stderr
    assert {line.rsplit(" ", 1)[0] for line in done.stdout.splitlines()} == {"False True"}
    assert "0" not in {line.rsplit(" ", 1)[1] for line in done.stdout.splitlines()}


@pytest.mark.skipif(os.geteuid() != 0, reason="only root is refused")
@pytest.mark.parametrize(("word", "message"), [("", "cannot run in its sandbox as root"), ("no", "must be on or off")])
def test_root_says_that_there_is_no_sandbox(sqlite_settings: Settings, monkeypatch: pytest.MonkeyPatch, word: str, message: str) -> None:
    monkeypatch.setenv(SANDBOX, word)
    with pytest.raises(ConfigError, match=message):
        check_browser(parse_crawl(f"seeds: [http://127.0.0.1:9/]\n{BROWSER}", "test"))
    if not word:
        with pytest.raises(ConfigError, match=f"set {SANDBOX}=off"):
            crawl_urls(sqlite_settings, ["http://127.0.0.1:9/"], BROWSER)


def test_a_browser_that_is_not_there_says_what_to_install(
    sqlite_settings: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("CRAWLHOUSE_BROWSER", str(tmp_path / "none"))
    hidden = tmp_path / "sitecustomize.py"
    hidden.write_text("import sys; sys.modules['playwright'] = None", encoding="utf-8")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    with pytest.raises(ConfigError, match=r"Playwright is not installed. Install it by `pip install 'crawlhouse\[browser\]'`"):
        crawl_urls(sqlite_settings, ["http://127.0.0.1:9/"], BROWSER)
