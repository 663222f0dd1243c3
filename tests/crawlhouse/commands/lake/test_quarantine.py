"""`crawlhouse quarantine` and `crawlhouse gate`, as somebody types them: what is shown, what is refused, and what is done."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from processing import stages
from schemas.config.crawl import Crawl
from schemas.config.settings import Settings
from tests.crawlhouse.conftest import Ended, Run
from tests.processing.crawlruns import article, capture, closed_run, html, prose
from tests.processing.lakeaccounts import check_accounts
from tests.processing.test_datasets import JUDGED, SHOP, product, rows, with_dataset

CRAWL = Crawl.model_validate({"name": "shop", "seeds": [SHOP + "/"], "datasets": ["articles", "products"]})
pytestmark = pytest.mark.xdist_group("quarantine")  # the tests share a home that they change
HELD_RUN = "shop-20260301T120000Z-000001"


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """A home with a run whose products are held back, and one with four rows in quarantine. The tests change it one after the other."""
    folder = tmp_path_factory.mktemp("shop")
    settings = with_dataset(Settings(home=folder / "home", crawls=folder / "crawls"), JUDGED)
    closed_run(
        settings, CRAWL, "1", [product("1", "A1", "10.00", name="Teapot"), product("9", "A9", "cheap", 1), article(SHOP + "/news", 1, 2)]
    )
    short = html("Short notice", [prose(9)[0][:120]])
    pages = [product("2", "A2", "-1", 60), product("3", "A3", "dear", 61), capture(f"{SHOP}/2026/03/short-notice", short, 62)]
    closed_run(settings, CRAWL, "2", [*pages, product("4", "A4", "-4", 63), product("5", "A5", "5.00", 64)])
    assert stages.process_once("shop", settings) is not None
    return settings


@pytest.fixture
def command(crawlhouse: Run, shop: Settings) -> Iterator[Run]:
    """Runs the command on that home."""

    def run(*arguments: str, **_: str) -> Ended:
        return crawlhouse(*arguments, home=str(shop.home), crawls=str(shop.crawls), datasets=str(shop.datasets))

    yield run
    check_accounts(shop)


def listed(command: Run, *arguments: str) -> list[dict[str, str]]:
    return [json.loads(line) for line in command("quarantine", "list", "--format", "jsonl", *arguments).out.splitlines()]


def test_rows_are_listed_in_three_forms(command: Run) -> None:
    table = command("quarantine", "list").out
    assert "4 rows" in table
    assert f"{SHOP}/p/2" in table
    found = listed(command)
    assert len(found) == 4
    assert {row["rule"] for row in listed(command, "--dataset", "products")} == {"type", "expectation:expect_column_values_to_be_between"}
    assert len(listed(command, "--rule", "expectation")) == 2
    assert len(listed(command, "--rule", "too_short")) == 1
    assert len(listed(command, "--url", f"{SHOP}/p/*")) == 3
    assert len(listed(command, "--run", found[0]["crawl_run"])) == 4
    assert listed(command, "--crawl", "other") == []
    whole = json.loads(command("quarantine", "list", "--format", "json", "--rows", "1").out)
    assert (len(whole["rows"]), sum(one["rows"] for one in whole["counts"])) == (1, 4)


def test_one_row_is_shown_whole(command: Run) -> None:
    (one,) = listed(command, "--rule", "type")
    shown = command("quarantine", "show", one["id"])
    assert "price: 'dear' is not a number" in shown.out
    assert json.loads(command("quarantine", "show", one["id"], "--format", "json").out)["row"] == {
        "sku": "A3",
        "name": "Kettle",
        "price": "dear",
    }
    (short,) = listed(command, "--dataset", "articles")
    assert "Short notice" in command("quarantine", "show", short["id"]).out
    missing = command("quarantine", "show", "0123456789abcdef")
    assert (missing.code, "There is no row '0123456789abcdef' in quarantine" in missing.err) == (3, True)


def test_what_cannot_be_done_says_why(command: Run) -> None:
    everything = command("quarantine", "drop", "--reason", "no")
    assert (everything.code, "Say which rows: by their IDs, or by --crawl" in everything.err) == (2, True)
    (one,) = listed(command, "--rule", "type")
    refused = command("quarantine", "release", "--dataset", "products", "--reason", "all")
    assert (refused.code, f"{one['id']}: price: 'dear' is not a number" in refused.err) == (2, True)
    assert command("quarantine", "release", one["id"]).code == 2, "a reason is asked for"
    assert "No row in quarantine matches: nothing was changed" in command("quarantine", "retry", "--crawl", "other").err
    assert len(listed(command)) == 4


def test_rows_are_settled(command: Run, shop: Settings) -> None:
    (one,) = listed(command, "--url", f"{SHOP}/p/2")
    released = command("quarantine", "release", one["id"], "--reason", "a voucher", "--who", "eve")
    assert (released.code, "published" in released.out, "Process run: p-" in released.err) == (0, True, True)
    again = command("quarantine", "release", one["id"], "--reason", "a voucher")
    assert (again.code, "it was released by eve on" in again.err, "nothing to do" in again.err) == (0, True, True)
    gone = command("quarantine", "show", one["id"])
    assert (gone.code, "is in quarantine no more: it was released by eve" in gone.err) == (3, True)
    assert "stay in quarantine" in command("quarantine", "retry", "--rule", "type").out
    assert "removed" in command("quarantine", "drop", "--url", f"{SHOP}/p/4", "--reason", "a test price").out
    assert rows(shop, "SELECT sku, price::VARCHAR FROM products ORDER BY sku") == [("A2", "-1.00"), ("A5", "5.00")]
    assert rows(shop, "SELECT kind, decided_by FROM runs WHERE decided_by = 'eve'") == [("release", "eve")]
    assert len(listed(command)) == 2


def test_what_the_gate_holds_back_is_accepted_once(command: Run, shop: Settings) -> None:
    (held,) = json.loads(command("gate", "list", "--format", "json").out)
    assert (held["crawl_run"], held["dataset"], held["decision"]) == (HELD_RUN, "products", None)
    assert "waits" in command("gate", "list", "--crawl", "shop").out
    unknown = command("gate", "accept", "shop-nothing", "--reason", "?")
    assert (unknown.code, "Nothing of 'shop-nothing' is held back" in unknown.err) == (3, True)
    accepted = command("gate", "accept", HELD_RUN, "--dataset", "products", "--reason", "teapots are new", "--who", "eve")
    assert (accepted.code, f"The rows of products of {HELD_RUN} are published" in accepted.err) == (0, True), accepted.err
    assert rows(shop, "SELECT sku, name, version FROM products WHERE sku < 'A2'") == [("A1", "Teapot", 1)]
    assert [row["detail"] for row in listed(command, "--run", HELD_RUN)] == ["price: 'cheap' is not a number"]
    outcomes = "SELECT url, outcome, len(outcomes) FROM captures WHERE crawl_run = '" + HELD_RUN + "' ORDER BY url"
    assert rows(shop, outcomes) == [(f"{SHOP}/news", "published", 2), (f"{SHOP}/p/1", "published", 2), (f"{SHOP}/p/9", "quarantined", 2)]
    (run,) = rows(shop, "SELECT kind, decided_by, decision_reason, crawl_run, len(replaces), records FROM runs WHERE kind = 'accept'")
    assert run == ("accept", "eve", "teapots are new", HELD_RUN, 1, 3)
    measured = "SELECT kind, json_extract_string(statistics, '$.measures.products.row_count') FROM runs WHERE crawl_run = '"
    assert rows(shop, f"{measured}{HELD_RUN}' ORDER BY kind") == [("accept", "1"), ("process", None)], "it is history for drift now"
    again = command("gate", "accept", HELD_RUN, "--reason", "again")
    assert (again.code, "accepted already, by eve" in again.err) == (0, True)
    assert command("gate", "discard", HELD_RUN, "--reason", "late").code == 3
    (line,) = command("gate", "list", "--format", "jsonl").out.splitlines()
    assert (json.loads(line)["decision"], json.loads(line)["decided_by"]) == ("accepted", "eve")


def test_what_is_discarded_cannot_be_accepted(crawlhouse: Run, tmp_path: Path) -> None:
    settings = with_dataset(Settings(home=tmp_path / "home", crawls=tmp_path / "crawls"), JUDGED)
    closed_run(settings, CRAWL, "1", [product("1", "A1", "10.00", name="Teapot")])
    assert stages.process_once("shop", settings) is not None
    where = {"home": str(settings.home), "crawls": str(settings.crawls), "datasets": str(settings.datasets)}
    discarded = crawlhouse("gate", "discard", HELD_RUN, "--reason", "test prices", **where)
    assert (discarded.code, "The rows of 1 dataset of" in discarded.err) == (0, True)
    refused = crawlhouse("gate", "accept", HELD_RUN, "--reason", "sorry", **where)
    assert (refused.code, "were discarded by" in refused.err) == (6, True)
    assert crawlhouse("gate", "list", **where).code == 0
