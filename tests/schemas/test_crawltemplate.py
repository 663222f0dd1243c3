"""The template of a crawl file is complete and correct: it has every key of the model, with the model's default."""

import re
from collections.abc import Iterator
from typing import Any

import yaml
from pydantic import BaseModel

from schemas.config.crawl import Crawl
from schemas.config.crawl_file import parse_crawl
from tests import PROJECT

TEMPLATE = (PROJECT / "docs" / "crawl_template.yaml").read_text(encoding="utf-8")
UNCOMMENTED = re.sub(r"^#( *[a-z_]+:)", r"\1", TEMPLATE, flags=re.MULTILINE)
SEEDS = "seeds: [https://example.com/, {url: https://example.com/sitemap.xml, kind: sitemap}]"


def test_as_it_stands_it_has_only_seeds() -> None:
    assert parse_crawl(TEMPLATE, "my_news") == parse_crawl(SEEDS, "my_news")


def test_uncommented_it_is_the_defaults() -> None:
    assert parse_crawl(UNCOMMENTED, "my_news") == parse_crawl(SEEDS, "my_news")


def test_every_key_is_in_it() -> None:
    given = yaml.safe_load(UNCOMMENTED)
    assert sorted(_keys(given)) == sorted(["extends", *(key for key in _fields(Crawl) if key != "name")])


def _keys(given: dict[str, Any], prefix: str = "") -> Iterator[str]:
    for key, value in given.items():
        yield prefix + key
        if isinstance(value, dict):
            yield from _keys(value, f"{prefix}{key}.")


def _fields(model: type[BaseModel], prefix: str = "") -> Iterator[str]:
    for name, field in model.model_fields.items():
        yield prefix + name
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            yield from _fields(field.annotation, f"{prefix}{name}.")
