"""Every article of the bundled site, in four languages and with all its boilerplate, is read as one."""

from __future__ import annotations

import urllib.request
from pathlib import Path

from processing.article.article import read_article
from processing.extract.decode import decode
from schemas.article import Article, PageType
from schemas.outcomes import Reason
from schemas.page import Page
from tests.demosite import run_demo_site


def test_every_article_is_one_and_has_its_title(tmp_path: Path) -> None:
    others: list[tuple[object, object]] = []
    with run_demo_site(tmp_path / "demo") as site:
        for truth in site.truth():
            with urllib.request.urlopen(truth.url, timeout=10) as answer:
                decoded = decode(answer.read(), answer.headers["Content-Type"])
            assert not isinstance(decoded, Reason), truth.url
            found = read_article(Page(url=truth.url, html=decoded.html))
            if not isinstance(found, Article) or found.page_type is not PageType.ARTICLE or found.title != " ".join(truth.title.split()):
                others.append((truth, found))
    assert others == []
