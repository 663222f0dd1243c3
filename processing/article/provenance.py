"""Provenance of a row's fields: extraction's sources are read again, in the same order, and compared with the row's values."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import chain

from processing.article import site_rules
from processing.article.article import PageAnalysis, analyze_page, read_article
from processing.article.body.forms import forms
from processing.article.body.standfirst import find_standfirst
from processing.article.metadata import metadata as declared
from processing.article.metadata.field_sources import FieldSource, SourcedText
from processing.article.metadata.jsonld import JsonLd
from processing.article.metadata.markup import Markup
from processing.article.metadata.people.authors import authors, site_of
from processing.article.metadata.titles.titles import titles
from schemas.article import TRACED_FIELDS, Article, plain_text
from schemas.config.crawl import SiteRules
from schemas.page import Page

NOT_FOUND = "not found by this version's code"
MAX_OTHERS = 2  # further sources with the same value that are named

SourcedValues = Iterable[tuple[str, object]]  # each source by its name, with the value found there


def read_provenance(page: Page, rules: SiteRules | None, row: Mapping[str, object]) -> dict[str, str]:
    """For each field of `TRACED_FIELDS` that the row has: the source of its value, then up to two more sources with the same value.

    `rules` are the crawl's selectors for the page's host. A source is named by what to search for in the HTML: `og:title`,
    `json-ld author`, `<h1>`. `container` is the element that holds the row's text, such as `div.story-body`, if one does.
    """
    analysis = analyze_page(page, rules)
    found = read_article(page, rules)
    article = found if isinstance(found, Article) else None
    sources = _metadata_sources(analysis, page, rules) | _classification_sources(analysis, page, article)
    provenance = {name: _describe_sources(sources[name], row[name]) for name in TRACED_FIELDS if row.get(name) not in (None, "", [], ())}
    container = _container(article, str(row.get("text") or ""))
    return provenance | ({"container": container} if container else {})


def _metadata_sources(analysis: PageAnalysis, page: Page, rules: SiteRules | None) -> dict[str, SourcedValues]:
    """All sources of each field with their values, in the order of extraction."""
    markup, json_ld = declared.read_declared(analysis.tree, page)
    hint = (f"hint of the {page.hints.source or 'feed or sitemap'}", page.hints.title)
    declared_ones = ((source, declared.shortened(text)) for source, text in _texts(declared.DESCRIPTION, markup, json_ld))
    descriptions = chain(
        declared_ones, [("standfirst after <h1>", find_standfirst(analysis.outline, analysis.container, analysis.metadata.title))]
    )
    sources: dict[str, SourcedValues] = {
        "title": chain(titles(markup, json_ld, analysis.metadata.site_name, page.url), [hint]),
        "description": descriptions,
        "authors": authors(markup, json_ld, site_of(analysis.metadata.site_name, page.url)),
        "section": _texts(declared.SECTION, markup, json_ld),
        "tags": ((source.source(markup), declared.split_tags(source.values(markup, json_ld))) for source in declared.TAGS),
        "site_name": _texts(declared.SITE_NAME, markup, json_ld),
        "canonical_url": declared.canonical_urls(markup, page.url),
        "lead_image": ((source, declared.whole_image(image, page.url)) for source, image in declared.images(markup, json_ld)),
        "paywalled": declared.paywalls(markup, json_ld),
    }
    return sources | {name: chain([ruled], sources[name]) for name, ruled in _rule_sources(analysis, rules)}


def _rule_sources(analysis: PageAnalysis, rules: SiteRules | None) -> Iterator[tuple[str, tuple[str, object]]]:
    """The fields that the site rules find. They precede the page's own metadata."""
    if rules is None:
        return
    found = site_rules.override_metadata(declared.Metadata(), analysis.tree, rules)
    for name in ("title", "description", "authors"):
        if value := getattr(found, name):
            yield name, (f"site rule {name}: {getattr(rules, name)}", value)


def _classification_sources(analysis: PageAnalysis, page: Page, article: Article | None) -> dict[str, SourcedValues]:
    """Form and page type, which stand nowhere on the page, with the evidence for them."""
    page_type, evidence = analysis.classification
    fitting = forms(analysis.tree, page.url, analysis.metadata, analysis.outline, article.blocks if article else ())
    return {"form": ((sign, form) for form, sign in fitting), "page_type": [(evidence, str(page_type))]}


def _texts(sources: tuple[FieldSource, ...], markup: Markup, json_ld: JsonLd) -> Iterator[SourcedText]:
    return (found for source in sources for found in source.each(markup, json_ld))


def _describe_sources(sources: SourcedValues, value: object) -> str:
    """The names of the sources that have this value: the first, then up to MAX_OTHERS more."""
    wanted = tuple(value) if isinstance(value, list) else value
    first, *others = [*dict.fromkeys(source for source, text in sources if text == wanted)] or [NOT_FOUND]
    return first + (f"; also: {', '.join(others[:MAX_OTHERS])}" if others else "")


def _container(article: Article | None, text: str) -> str | None:
    """The element that this version's code takes the article from, if it holds all of the row's text."""
    if article is None or not text:
        return None
    lines = set(plain_text(article.blocks).split("\n"))
    return article.container if lines.issuperset(text.split("\n")) else None
