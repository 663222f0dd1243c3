"""Golden pages: a folder per rule with a page and what is expected of it; each page is written for its rule."""

import json
from pathlib import Path
from typing import Any

import pytest

from processing.article.article import read_article
from schemas.article import Article, plain_text
from schemas.page import Page

GOLDEN = Path(__file__).parent / "golden"
FOLDERS = sorted(folder.name for folder in GOLDEN.iterdir())


def read(name: str) -> tuple[Article, dict[str, Any]]:
    expected = json.loads((GOLDEN / name / "expected.json").read_text(encoding="utf-8"))
    html = (GOLDEN / name / "page.html").read_text(encoding="utf-8")
    article = read_article(Page(expected.get("url", f"https://news.example/2026/{name}"), html))
    assert isinstance(article, Article)
    return article, expected


@pytest.mark.parametrize("name", FOLDERS)
def test_blocks(name: str) -> None:
    article, expected = read(name)
    assert [[str(block.kind), block.text] for block in article.blocks] == expected["blocks"]


@pytest.mark.parametrize("name", FOLDERS)
def test_form_and_path(name: str) -> None:
    article, expected = read(name)
    assert article.form == expected.get("form", "article")
    assert article.extraction_path == "container"


@pytest.mark.parametrize("name", FOLDERS)
def test_the_same_page_gives_the_same_article(name: str) -> None:
    assert read(name) == read(name)


@pytest.mark.parametrize("name", [name for name in FOLDERS if name in {"captions", "gallery"}])
def test_captions_are_not_in_the_text(name: str) -> None:
    article, expected = read(name)
    captions = [text for kind, text in expected["blocks"] if kind == "caption"]
    assert captions
    assert not any(caption in plain_text(article.blocks) for caption in captions)
