"""A shop from its pages to the tables of three datasets by the command: a spider's items, selectors on stored pages, structured data."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from schemas.config.settings import Settings
from tests.crawlhouse.conftest import clean_environment, run_command
from tests.demosite import run_demo_site
from tests.shopcrawl import check_shop, write_shop

pytestmark = pytest.mark.servers_in_chaos

TICKS = 3


@pytest.mark.chaos
@pytest.mark.timeout(300)
def test_three_shapes_by_the_command(lake_settings: Settings, tmp_path: Path) -> None:
    settings = lake_settings.model_copy(update={"home": tmp_path / "var", "crawls": tmp_path / "crawls"})
    given = {name: str(value) for name, value in settings.model_dump().items() if value}
    environment = clean_environment(**given)

    def crawlhouse(*arguments: str) -> str:
        ended = run_command(*arguments, env=environment, cwd=tmp_path)
        assert ended.code == 0, ended.err
        return ended.out

    with run_demo_site(tmp_path / "site") as site:
        write_shop(settings.crawls, site.shop)
        for tick in range(TICKS):
            crawlhouse("crawl", "shop")
            crawlhouse("process", "shop")
            if tick < TICKS - 1:
                site.tick_shop()
    check_shop(settings, range(TICKS))
    changes = [json.loads(line) for line in crawlhouse("changes", "--since", "1").splitlines()]
    assert {(one["table"], one["change"]) for one in changes} >= {(name, "changed") for name in ("offers", "shelf", "products")}
    assert {one["change"] for one in changes if one["table"] == "products"} >= {"changed", "gone"}
    assert crawlhouse("query", "SELECT url FROM articles").split() == ["url", "───"]
