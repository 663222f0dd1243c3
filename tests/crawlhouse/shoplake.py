"""A lake with a dataset of the user's own: products in three publishes, of which one vanishes and comes back."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

from schemas.config.settings import make_settings
from schemas.datasets.dataset_file import parse_dataset
from schemas.datasets.tables import table_schema
from storage.lake.lake import Lake, open_lake
from tests.storage.lakerows import rows_of, table_of

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
PRODUCTS = parse_dataset(
    """
description: What the shops ask for their goods.
source: {items: true}
key: [host, sku]
fields:
  sku: {type: string, description: The shop's own number.}
  price: {type: 'decimal(8,2)', unit: currency, description: The price with tax.}
  currency: {type: string}
  weight: {type: float, unit: kg}
""",
    "products",
)


def publish_shop(home: Path) -> None:
    """Publish a row of `b.example` and rows of `a.example`; in the second run `x` is dearer and `y` gone, in the third `y` is back."""
    settings = make_settings(home=home)
    settings.home.mkdir(parents=True)
    with open_lake(settings) as lake:
        lake.ensure_dataset_tables([PRODUCTS])
        _publish(lake, 1, [("a.example", "x", 1, "1.50"), ("a.example", "y", 1, "2.00"), ("b.example", "x", 1, "9.99")], seen=("x", "y"))
        _publish(lake, 2, [("a.example", "x", 2, "1.75")], seen=("x",), gone=("y",))
        lake.append("articles", [table_of("articles", {"process_run": "p2", "sequence": 2, "fetched_at": NOON, "version": 1})], "p2")
        _publish(lake, 3, [], seen=("x", "y"))
        held = {"process_run": "p3", "sequence": 3, "dataset": "products", "rule": "price", "row_json": "{}", "fetched_at": NOON}
        lake.append("quarantine", [table_of("quarantine", held, {"process_run": "p3", "sequence": 3, "rule": "too_short"})], "p3")


def _publish(lake: Lake, number: int, rows: list[tuple[str, str, int, str]], *, seen: tuple[str, ...], gone: tuple[str, ...] = ()) -> None:
    run = {"process_run": f"p{number}", "sequence": number}
    at = NOON + timedelta(days=number)
    products = [
        run | {"host": host, "row_id": f"{host}/{sku}", "sku": sku, "version": version, "price": Decimal(price), "fetched_at": at}
        for host, sku, version, price in rows
    ]
    if products:
        lake.append("products", [rows_of(table_schema(PRODUCTS), *products)], f"p{number}")
    place = run | {"dataset": "products"}
    sightings = [place | {"seen_at": at, "row_id": f"a.example/{sku}"} for sku in seen]
    sightings += [place | {"gone_at": at, "row_id": f"a.example/{sku}"} for sku in gone]
    lake.append("sightings", [table_of("sightings", *sightings)], f"p{number}")
    lake.append("runs", [table_of("runs", run)], f"p{number}")
