"""The JSON Schema of crawl files: it takes what the reader takes, and marks what an editor can know."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from schemas.config.crawl_file import parse_crawl
from schemas.config.crawl_schema import crawl_schema
from tests import PROJECT
from tests.schemas.test_crawltemplate import UNCOMMENTED

FILES = [*sorted((PROJECT / "crawls").glob("*.yaml")), *sorted((PROJECT / "demo").rglob("crawls/*.yaml"))]
SEEDS = "seeds: [https://a.example/]\n"
SHORT = f"{SEEDS}extends: _press\nexpectations: {{articles: suite.json}}\nnetwork: {{allow: [127.0.0.0/8]}}\n"


@pytest.fixture(scope="module")
def validator() -> Any:  # Any: jsonschema has no types here
    jsonschema = pytest.importorskip("jsonschema")
    jsonschema.Draft202012Validator.check_schema(crawl_schema())
    return jsonschema.Draft202012Validator(crawl_schema())


@pytest.mark.parametrize("text", [UNCOMMENTED, SHORT, *(path.read_text(encoding="utf-8") for path in FILES)])
def test_it_takes_crawl_files(validator: Any, text: str) -> None:
    assert [error.message for error in validator.iter_errors(yaml.safe_load(text))] == []


@pytest.mark.parametrize("wrong", ["politness: {delay: 1}", "workers: 0", "politeness: {robots: maybe}", "name: news", "seeds: 3"])
def test_it_marks_mistakes(validator: Any, wrong: str) -> None:
    text = wrong if wrong.startswith("seeds") else SEEDS + wrong
    assert list(validator.iter_errors(yaml.safe_load(text)))
    if not wrong.startswith("name"):
        with pytest.raises(Exception, match=wrong.split(":", maxsplit=1)[0]):
            parse_crawl(text, "news")
