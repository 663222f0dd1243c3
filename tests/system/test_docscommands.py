"""The commands of README.md and docs/*.md, typed page by page into a project that crawls the demo's sites.

Each page begins with the same project, whose crawls and datasets have the names that the docs use. What the docs write for things of a
user's own, such as a URL or the name of a run, is replaced by what the project has.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests import PROJECT
from tests.crawlhouse.conftest import clean_environment
from tests.crawlhouse.monitor.sinks import web_hook
from tests.demosite import DemoSite, run_demo_site
from tests.shopcrawl import write_shop
from tests.system.docspages import NOT_RUN, PAGES, blocks_of, commands, reason_not_to_run, runnable

pytestmark = pytest.mark.timeout(900)

NEWS = """
seeds: ['{base}/']
network: {{allow: [127.0.0.1/32]}}
politeness: {{delay: 0}}
budgets: {{max_pages: 30}}
datasets: [articles, pages]
articles: {{markdown: true, chunks: 1500}}
"""
HELD = "expectations: {products: [{type: expect_column_values_to_be_between, column: price, max_value: 0, severity: critical}]}\n"
RUN = "shop-20260301T120000Z-a1b2c3"
SHOWN_ELSEWHERE = {"first_dataset.md": "tests/system/test_firstdataset.py"}


@dataclass
class Project:
    """A project of the docs' crawls; `kept` is the copy that each page begins with."""

    folder: Path
    kept: Path
    site: DemoSite

    def shell(self, script: str, **variables: str) -> str:
        """What a script prints; it ends at the first command that fails."""
        environment = clean_environment() | {"PYTHONPATH": str(PROJECT)} | variables
        done = subprocess.run(
            ["bash", "-exc", script], cwd=self.folder, env=environment, capture_output=True, text=True, timeout=600, check=False
        )
        assert done.returncode == 0, f"{done.stderr[-3000:]}\n{done.stdout[-1000:]}"
        return done.stdout

    def value(self, sql: str) -> str:
        """The only value of a query."""
        (row,) = json.loads(self.shell(f'crawlhouse query "{sql}" --format json'))
        (value,) = row.values()
        return str(value)

    def anew(self) -> None:
        """Put the project back to its beginning. It stays in its place: tables name their files by their paths."""
        shutil.rmtree(self.folder)
        shutil.copytree(self.kept, self.folder, symlinks=True)

    def replaced(self, script: str) -> str:
        """A script with the project's own URLs in place of the docs' examples."""
        news = self.site.bases[0]
        for written, ours in {
            "http://127.0.0.1:8803/": f"{self.site.shop}/",
            "https://example.com/people/": f"{news}/sport/",
            "https://example.com/": f"{news}/",
            "https://shop.example/p/": f"{self.site.shop}/goods/",
            "https://shop.example/": f"{self.site.shop}/",
            "--host example.com": f"--host {news.removeprefix('http://')}",
        }.items():
            script = script.replace(written, ours)
        return script


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    """The project after its first runs, made by the README's commands for a first crawl."""
    folder = tmp_path_factory.mktemp("docs")
    with run_demo_site(folder / "demo") as site:
        made = Project(folder / "project", folder / "kept", site)
        made.folder.mkdir()
        first, *others = next(block for block in blocks_of(PAGES[0]) if "--name my_news" in block).splitlines()
        made.shell(made.replaced(first))
        crawl = made.folder / "crawls" / "my_news.yaml"
        crawl.write_text(crawl.read_text(encoding="utf-8").replace("max_pages: 200", "max_pages: 30"), encoding="utf-8")
        made.shell(made.replaced("\n".join(others)))
        (made.folder / "crawls" / "news.yaml").write_text(NEWS.format(base=site.bases[1]), encoding="utf-8")
        write_shop(made.folder / "crawls", site.shop)
        made.shell("for crawl in news shop; do crawlhouse crawl $crawl; crawlhouse process $crawl; done")
        shutil.copytree(made.folder, made.kept, symlinks=True)
        yield made


@pytest.fixture
def anew(project: Project) -> Project:
    """The project as each page begins with it."""
    project.anew()
    return project


def test_every_command_is_run_or_has_a_reason() -> None:
    found = list(commands())
    assert len(found) > 80
    run = {page.name for page in PAGES if any(runnable(block).strip() for block in blocks_of(page))}
    assert run == {*PREPARED, *SHOWN_ELSEWHERE, "README.md"}
    for start in NOT_RUN:
        assert any(line.startswith(start) for line in found), f"no page has {start!r}"
    assert all(reason_not_to_run(line) or line.split()[0] in {"crawlhouse", "export", "python"} for line in found)


def test_the_readme(anew: Project) -> None:
    with web_hook() as hook:
        for block in blocks_of(PAGES[0]):
            if "init" not in block:  # a first crawl is how the project was made, a first dataset has a test of its own
                url = anew.value("SELECT min(url) FROM articles_latest WHERE gone_at IS NULL")
                script = anew.replaced(runnable(block)).replace("show URL ", f"show {url} ")
                anew.shell(script.replace("127.0.0.1:8000", f"127.0.0.1:{hook.port}"))
    assert [message["title"] for message in hook.received] == ["crawlhouse: a test"]


def _nothing(project: Project) -> dict[str, str]:
    return {}


def _with_stories(project: Project) -> dict[str, str]:
    """URLs of the docs that stand for an article."""
    news = project.site.bases[0]
    url = project.value(f"SELECT min(url) FROM articles_latest WHERE starts_with(url, '{news}/')")
    return {f"{news}/{name}": url for name in ("story", "news/one", "2026/ferry")}


def _with_files(project: Project) -> dict[str, str]:
    """Archives of another tool beside the project's folders."""
    project.shell("mkdir old; cp $(find var/store -name '*.warc.gz' | head -1) old/; cp old/*.warc.gz .")
    project.shell("crawlhouse export --crawl my_news -o other.wacz")
    backups = project.folder.parent / "backups"
    shutil.rmtree(backups, ignore_errors=True)
    lost = "mv var lost; crawlhouse restore"  # the home is lost, and comes back at its place
    return _with_stories(project) | {"/mnt/backups/news": str(backups), "crawlhouse restore": lost}


def _with_a_held_run(project: Project) -> dict[str, str]:
    """Two crawl runs that the gate holds back, and the id of a row in quarantine."""
    with (project.folder / "crawls" / "shop.yaml").open("a", encoding="utf-8") as file:
        file.write(HELD)
    for _ in range(2):
        project.site.tick_shop()
        project.shell("crawlhouse crawl shop; crawlhouse process shop || test $? = 8")
    held = json.loads(project.shell("crawlhouse gate list --format json"))
    first, second = (one["crawl_run"] for one in held)
    (found, *_) = json.loads(project.shell("crawlhouse quarantine list --crawl shop --rule expectation --format json"))["rows"]
    return {f"accept {RUN}": f"accept {first}", f"discard {RUN}": f"discard {second}", "3f0c6a52b1e94d07": found["id"]}


def _with_a_run(project: Project) -> dict[str, str]:
    return {RUN: project.value("SELECT max(crawl_run) FROM runs WHERE crawl = 'shop'")}


def _with_a_golden_page(project: Project) -> dict[str, str]:
    (project.folder / "crawls" / "my_news.golden" / "byline").mkdir(parents=True)
    return _with_stories(project)


def _with_the_example(project: Project) -> dict[str, str]:
    """The example's crawl beside the project's, with the address of the running site."""
    examples = project.folder / "docs" / "examples"
    examples.mkdir(parents=True)
    for name in ("courier.yaml", "courier_stories.py"):
        text = (PROJECT / "docs" / "examples" / name).read_text(encoding="utf-8")
        (examples / name).write_text(text.replace("127.0.0.1:8801", project.site.bases[0].removeprefix("http://")), encoding="utf-8")
    return {}


def _to_a_folder(project: Project) -> dict[str, str]:
    return {"s3://bucket/monday": "monday"}  # tests/crawlhouse/commands/lake has the one to S3


PREPARED: dict[str, Callable[[Project], dict[str, str]]] = {
    "backup.md": _with_files,
    "datasets.md": _nothing,
    "erase.md": _with_stories,
    "markdown.md": _with_files,
    "monitor.md": _nothing,
    "notify.md": _nothing,
    "operations.md": _with_stories,
    "own_spider.md": _with_the_example,
    "pages.md": _nothing,
    "plugins.md": _nothing,
    "quality.md": _nothing,
    "quarantine.md": _with_a_held_run,
    "query.md": _nothing,
    "readers.md": _to_a_folder,
    "reasons.md": _nothing,
    "reprocess.md": _with_a_run,
    "schedule.md": _nothing,
    "site_rules.md": _with_a_golden_page,
    "upgrade.md": _nothing,
}


@pytest.mark.parametrize("name", PREPARED)
def test_the_commands_of_a_page(name: str, anew: Project) -> None:
    script = anew.replaced("\n".join(map(runnable, blocks_of(PROJECT / "docs" / name))))
    for written, ours in PREPARED[name](anew).items():
        script = script.replace(written, ours)
    with web_hook() as hook:
        anew.shell(script.replace("127.0.0.1:8000", f"127.0.0.1:{hook.port}"))
    assert bool(hook.received) == (name == "notify.md")
