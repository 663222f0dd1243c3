"""The rows of a crawl run are taken out, as if it had not been published, and come back when somebody decides it."""

from __future__ import annotations

import pytest

from processing import stages
from processing.accept import accept
from processing.reprocess.again import compare, extract_all, publish
from processing.reprocess.rollback import rollback
from processing.reprocess.selection import Selected
from schemas.config.settings import Settings
from schemas.errors import ConfigError, ConflictError
from schemas.keys import memory_key
from storage.ledger.held import discard_held
from storage.ledger.ledger import open_ledger
from storage.objects.open import open_store
from tests.processing.crawlruns import article, closed_run
from tests.processing.lakeaccounts import check_accounts
from tests.processing.reprocess.test_again import again, planned, state
from tests.processing.test_datasets import CRAWL, PRODUCTS, SHOP, product, rows, with_dataset

FIRST, SECOND, THIRD = (f"shop-20260301T120000Z-00000{number}" for number in (1, 2, 3))


def memory(settings: Settings) -> bytes:
    """The crawl's site memory as it is stored."""
    ledger = open_ledger(settings)
    version = ledger.memory_version("shop")
    ledger.close()
    return open_store(settings).get_bytes(memory_key("shop", version))


@pytest.mark.chaos
@pytest.mark.timeout(600)
def test_a_run_in_the_middle_is_taken_out_and_comes_back(sqlite_settings: Settings) -> None:
    settings = with_dataset(sqlite_settings)
    closed_run(settings, CRAWL, "1", [product("1", "A1", "10.00"), article(f"{SHOP}/a/1", 1, 2)])
    stages.process_once("shop", settings)
    alone = memory(settings)
    closed_run(settings, CRAWL, "2", [product("1", "A1", "12.00", 60), article(f"{SHOP}/a/1", 3, 62), article(f"{SHOP}/a/2", 2, 63)])
    second = stages.process_once("shop", settings)
    assert second is not None
    before = state(settings)
    newest = rollback(second.process_run, "eve", "wrong prices", settings)
    assert (newest.crawl_runs, newest.datasets) == ((SECOND,), ("articles", "products"))
    assert memory(settings) == alone
    check_accounts(settings)
    assert rows(settings, "SELECT DISTINCT crawl_run FROM captures") == [(FIRST,)]
    assert rows(settings, "SELECT price::VARCHAR FROM products_latest") == [("10.00",)]
    closed_run(settings, CRAWL, "3", [product("1", "A1", "13.00", 120), article(f"{SHOP}/a/2", 2, 123)])
    assert stages.process_once("shop", settings) is not None
    assert not rollback(SECOND, "eve", "wrong prices", settings).is_new
    assert rows(settings, "SELECT price::VARCHAR FROM products_latest") == [("13.00",)]
    third = rollback(THIRD, "eve", "", settings)
    assert "rolled back by eve" in str(third.report.held)
    with pytest.raises(ConfigError, match=r"rolled back as a whole, so it is accepted as a whole"):
        accept(SECOND, "products", "eve", "", settings)
    assert accept(SECOND, None, "eve", "they were right", settings).datasets == ("articles", "products")
    check_accounts(settings)
    assert state(settings)["products"] == before["products"]
    assert state(settings)["sightings"] == before["sightings"]
    assert rows(settings, "SELECT kind FROM runs ORDER BY sequence") == [
        ("process",), ("process",), ("rollback",), ("process",), ("rollback",), ("accept",)
    ]  # fmt: skip
    with pytest.raises(ConflictError, match="were replaced by"):
        rollback(second.process_run, "eve", "", settings)


@pytest.mark.chaos
@pytest.mark.timeout(600)
def test_reprocess_makes_a_rolled_back_run_again_with_its_neighbours(sqlite_settings: Settings) -> None:
    settings = with_dataset(sqlite_settings)
    closed_run(settings, CRAWL, "1", [product("1", "A1", "10.00")])
    closed_run(settings, CRAWL, "2", [product("2", "A2", "12.00", 60)])
    assert stages.process_once("shop", settings) is not None
    before = state(settings)
    rollback(SECOND, "eve", "", settings)
    assert rows(settings, "SELECT DISTINCT crawl_run FROM captures") == [(FIRST,)]
    assert again(settings).datasets["products"].added == 1
    assert state(settings) == before

    rollback(SECOND, "eve", "", settings)
    ledger = open_ledger(settings)
    assert discard_held(ledger.database, SECOND, None, "eve", "test prices") == 2
    ledger.close()
    with_dataset(settings, PRODUCTS.replace("name: h1", "name: h1, label: h1"))
    assert (again(settings).records, rows(settings, "SELECT sku FROM products")) == (1, [("A1",)]), "for good"
    assert again(settings, Selected(run=SECOND)).records == 1
    assert rows(settings, "SELECT sku FROM products ORDER BY 1") == [("A1",), ("A2",)], "but for who names the run"


@pytest.mark.chaos
@pytest.mark.timeout(600)
def test_a_rollback_between_planning_and_publishing_is_noticed(sqlite_settings: Settings) -> None:
    settings = with_dataset(sqlite_settings)
    closed_run(settings, CRAWL, "1", [product("1", "A1", "10.00")])
    assert stages.process_once("shop", settings) is not None
    (process_run,) = planned(settings)
    extract_all(process_run, settings)
    compare(process_run, settings)
    rollback(FIRST, "eve", "", settings)
    with pytest.raises(ConflictError, match="were changed meanwhile"):
        publish(process_run, settings)
    assert rows(settings, "SELECT count(*) FROM products") == [(0,)]
