"""The module that a user's spider is in: where it is looked for, and what is said when it cannot be had."""

from __future__ import annotations

from pathlib import Path

import pytest

from schemas.config.crawl_file import parse_crawl, read_crawl
from schemas.config.settings import Settings
from schemas.errors import ConfigError, CrawlhouseError, NotFoundError, SpiderError
from spiders.run import crawl_once, plan
from tests import PROJECT
from tests.demosite import DemoSite
from tests.spiders.owncrawls import items_of

EXAMPLES = PROJECT / "docs" / "examples"


def own_file(settings: Settings, source: str, name: str = "my_own_module", spider: str = "Mine") -> str:
    settings.crawls.mkdir(exist_ok=True)
    (settings.crawls / f"{name}.py").write_text(source, encoding="utf-8")
    text = f"scope: {{hosts: [x.test]}}\nspider: {name}:{spider}\n"
    (settings.crawls / "test.yaml").write_text(text, encoding="utf-8")
    return text


@pytest.mark.parametrize(
    ("source", "name", "spider", "kind", "message"),
    [
        ("x = 1", "module_a", "Mine", NotFoundError, r"test\.yaml: line 2: spider: .*module_a\.py has no class 'Mine'. It has no spiders"),
        (
            "import scrapy\nclass Yours(scrapy.Spider): name = 'y'",
            "module_b",
            "Mine",
            NotFoundError,
            "no class 'Mine'. There are: Yours",
        ),
        ("class Mine: ...", "module_c", "Mine", ConfigError, "is not a scrapy.Spider"),
        ("import scrapy\nclass Mine(scrapy.Spider): ...", "module_d", "Mine", ConfigError, "has no name. Give the class one"),
        ("1 / 0", "module_e", "Mine", SpiderError, r"cannot be imported: ZeroDivisionError: division by zero \(module_e\.py, line 1\)"),
        ("import not_installed_at_all", "module_f", "Mine", SpiderError, "'not_installed_at_all'. Install the missing package"),
        ("x = 1", "demo", "Mine", ConfigError, r"crawls/demo\.py has the name of another module, .*demo/__init__\.py. Rename the file"),
    ],
)
def test_a_spider_that_cannot_be_had(
    source: str, name: str, spider: str, kind: type[CrawlhouseError], message: str, sqlite_settings: Settings
) -> None:

    crawl = parse_crawl(own_file(sqlite_settings, source, name, spider), "test")
    with pytest.raises(kind, match=message):
        plan(crawl, "k", sqlite_settings)


def test_an_unknown_module_says_where_it_was_looked_for(sqlite_settings: Settings, tmp_path: Path) -> None:

    text = own_file(sqlite_settings, "", "module_g").replace("module_g", "module_h")
    settings = sqlite_settings.model_copy(update={"spiders": str(tmp_path / "more")})
    with pytest.raises(NotFoundError, match=rf"no module 'module_h'. Looked in {settings.crawls}, {tmp_path}/more and the installed"):
        plan(parse_crawl(text, "test"), "k", settings)


def test_the_example_of_the_documentation(demo_site: DemoSite, sqlite_settings: Settings) -> None:

    port = demo_site.bases[0].rpartition(":")[2]
    sqlite_settings.crawls.mkdir()
    for name in ("courier.yaml", "courier_stories.py"):
        text = (EXAMPLES / name).read_text(encoding="utf-8").replace("8801", port)
        (sqlite_settings.crawls / name).write_text(text, encoding="utf-8")
    manifest = crawl_once(read_crawl(sqlite_settings.crawls / "courier.yaml"), sqlite_settings)
    truth = {one.url for one in demo_site.truth()}
    items = items_of(manifest, sqlite_settings)
    assert len(items) > 20
    assert {one["url"] for one in items} <= truth
    assert all(one["item"]["words"] > 50 and one["item"]["authors"] for one in items)
    assert manifest.reasons == {}
