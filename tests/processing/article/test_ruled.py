"""Site rules: a golden page for each kind of rule, and what is told of rules and golden pages that cannot be used."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from processing.article.article import read_article
from processing.article.site_rules import selector_errors
from processing.extract.checks import golden_pages as goldenpages
from processing.extract.checks.golden_pages import Difference, GoldenPage, read_golden, stored_page
from processing.extract.checks.rule_check import check_rules
from processing.extract.limited_pages import read_stored
from processing.extract.page_tasks import rules_for
from schemas.article import Article
from schemas.config.crawl import ArticleOptions, Crawl, SiteRules
from schemas.config.crawl_file import parse_crawl, read_crawl
from schemas.config.golden_page import golden_folder
from schemas.errors import ConfigError
from schemas.page import Page

FOLDER = Path(__file__).parent / "ruled"
RULED = read_crawl(FOLDER / "ruled.yaml")
PAGES = read_golden(golden_folder(FOLDER, RULED.name))
UNRULED = RULED.model_copy(update={"articles": ArticleOptions()})
PSEUDO = "pseudo-elements select no element: the text or `content` of what matches is taken anyway"
PROSE = "<p>The mayor of the island told the paper that the ferry would sail again as soon as the fog had lifted.</p>" * 4
HEAD = "<head><title>Ferry</title><meta property=og:type content=article></head>"
HTML = f"<html>{HEAD}<body><article><h1>Ferry</h1>{PROSE}</article></body></html>"


def differences(page: GoldenPage, crawl: Crawl) -> list[Difference]:
    """What a page is read as other than expected, without a worker: here there are many and none is hostile."""
    found = read_stored(stored_page(page, crawl))
    assert found is not None
    return goldenpages.differences(page, found)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_golden_page_is_read_as_expected(page: GoldenPage) -> None:
    assert differences(page, RULED) == []


@pytest.mark.parametrize("page", [page for page in PAGES if page.name != "other_host"], ids=lambda page: page.name)
def test_without_its_rule_it_is_not(page: GoldenPage) -> None:
    assert differences(page, UNRULED)


def test_each_of_several_removals_is_needed() -> None:
    (page,) = (page for page in PAGES if page.name == "remove")
    removed = RULED.articles.rules["remove.example"].remove
    assert len(removed) == 2
    for alone in removed:
        options = ArticleOptions(rules={"remove.example": SiteRules(remove=(alone,))})
        assert [difference.expected for difference in differences(page, RULED.model_copy(update={"articles": options}))] == [None]


def test_every_kind_of_rule_has_its_page() -> None:
    rules = RULED.articles.rules.values()
    assert {name for rule in rules for name in rule.model_fields_set} == set(SiteRules.model_fields)
    hosts = {page.expected.url.split("/")[2] for page in PAGES}
    assert all(any(rules_for(host, {name: rule}) for host in hosts) for name, rule in RULED.articles.rules.items())


def test_a_port_is_part_of_the_host() -> None:
    rules = {"news.example:8080": SiteRules(title="h1")}
    assert rules_for("www.news.example:8080", rules)
    assert rules_for("news.example", rules) is None


def test_rules_that_are_no_selectors_are_told_with_line_host_and_field(tmp_path: Path) -> None:
    path = tmp_path / "news.yaml"
    path.write_text(
        "seeds: [https://news.example/]\n"
        "articles:\n"
        "  rules:\n"
        "    news.example:\n"
        '      title: "h1::text"\n'
        "    www.news.example:\n"
        "      body: //article\n"
        "      authors: .byline\n"
        "      remove:\n"
        "        - aside\n"
        '        - "div[[["\n'
        '        - "*"\n'
        '        - ""\n'
    )
    with pytest.raises(ConfigError) as raised:
        check_rules(read_crawl(path), path)
    assert str(raised.value).splitlines() == [
        f"{path}: line 5: articles.rules.news.example.title: 'h1::text' is not a CSS selector: {PSEUDO}",
        f"{path}: line 7: articles.rules.www.news.example.body: '//article' is not a CSS selector: this is XPath",
        f"{path}: line 11: articles.rules.www.news.example.remove.1: 'div[[[' is not a CSS selector",
        f"{path}: line 12: articles.rules.www.news.example.remove.2: '*' cuts out the whole page",
        f"{path}: line 13: articles.rules.www.news.example.remove.3: an empty selector finds nothing; leave the rule out",
    ]


@pytest.mark.parametrize("selector", ["div[[[", "", "//h1", "h1::text", "\ud800", "html", "head"])
def test_processing_does_not_fall_over_a_rule(selector: str) -> None:
    everywhere = SiteRules(
        body=selector, title=selector, authors=selector, published_at=selector, description=selector, remove=(selector, "html")
    )
    read_article(Page("https://news.example/2026/ferry", HTML), everywhere)
    article = read_article(Page("https://news.example/2026/ferry", HTML), SiteRules(remove=("html",)))
    assert isinstance(article, Article)
    assert article == read_article(Page("https://news.example/2026/ferry", HTML), None)


@pytest.mark.parametrize("selector", ["h1", "div.a > p:nth-child(2n+1)", "meta[name=a]", ":is(h1, h2)", "article time[datetime]"])
def test_a_selector_is_no_mistake(selector: str) -> None:
    assert list(selector_errors(SiteRules(title=selector, remove=(selector,)))) == []


def golden(folder: Path, expected: object, html: str = HTML) -> list[GoldenPage]:
    case = folder / "case"
    shutil.rmtree(case, ignore_errors=True)
    case.mkdir(parents=True)
    (case / "expected.json").write_text(json.dumps(expected))
    (case / "page.html").write_text(html)
    return read_golden(folder)


def test_a_difference_says_which_block(tmp_path: Path) -> None:
    sentence = PROSE[3 : PROSE.index("</p>")]
    blocks = [["paragraph", sentence], ["paragraph", "And the band played."]]
    (page,) = golden(
        tmp_path, {"url": "https://news.example/1", "title": "Ferry", "blocks": blocks}, HTML.replace(PROSE, f"<p>{sentence}</p>")
    )
    (difference,) = differences(page, UNRULED)
    assert (difference.field, difference.expected, difference.found) == ("blocks[1]", (("paragraph", "And the band played."),), None)


def test_a_page_may_be_expected_to_be_no_article(tmp_path: Path) -> None:
    html = "<html><body><img src=a.jpg></body></html>"
    (page,) = golden(tmp_path, {"url": "https://news.example/1", "reason": "no_article"}, html)
    assert differences(page, UNRULED) == []
    (page,) = golden(tmp_path, {"url": "https://news.example/1", "title": "Ferry"}, html)
    (difference,) = differences(page, UNRULED)
    assert (difference.field, difference.expected) == ("reason", None)
    (page,) = golden(tmp_path, {"url": "https://news.example/1", "reason": "no_article"})
    assert [difference.field for difference in differences(page, UNRULED)] == ["reason"]


@pytest.mark.parametrize(
    ("expected", "message"),
    [
        ({"title": "Ferry"}, "expected.json: url: Field required"),
        ({"url": "https://news.example/1", "titel": "Ferry"}, "expected.json: titel: Extra inputs are not permitted"),
        ({"url": "https://news.example/1", "published_at": "2026-03-02T08:00:00"}, "expected.json: published_at: "),
        ([], "expected.json: the file: "),
    ],
)
def test_a_golden_page_that_is_none(expected: object, message: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=message):
        golden(tmp_path, expected)


def test_a_golden_page_without_its_page(tmp_path: Path) -> None:
    golden(tmp_path, {"url": "https://news.example/1"})
    (tmp_path / "case" / "page.html").unlink()
    with pytest.raises(ConfigError, match=r"page\.html cannot be read"):
        read_golden(tmp_path)


def test_a_crawl_without_rules_is_fine(tmp_path: Path) -> None:
    check_rules(parse_crawl("seeds: [https://news.example/]", "news"), tmp_path / "news.yaml")
    assert read_golden(tmp_path / "nowhere") == []
