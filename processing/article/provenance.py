"""Where on the page each field of a row stands: extraction's own places, asked again in extraction's own order."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import chain

from processing.article import site_rules as siterules
from processing.article.article import FirstLook, first_look, read_article
from processing.article.body.forms import forms
from processing.article.metadata import metadata as declared
from processing.article.metadata.authors import authors
from processing.article.metadata.jsonld import JsonLd
from processing.article.metadata.markup import Markup
from processing.article.metadata.places import Found, Place
from processing.article.metadata.titles import titles
from schemas.article import Article, plain_text
from schemas.config.crawl import SiteRules
from schemas.page import Page

PLACED = (
    "title", "description", "authors", "section", "tags", "site_name", "canonical_url", "lead_image", "paywalled", "form", "page_type",
)  # fmt: skip
NOT_FOUND = "not found by this version's code"
MAX_OTHERS = 2  # places named beside the first

Said = Iterable[tuple[str, object]]  # places by their words, and the field's value as it stands there


def read_origins(page: Page, rules: SiteRules | None, row: Mapping[str, object]) -> dict[str, str]:
    """For each field of `PLACED` that the row has: the place its value is taken from, then up to two that say the same.

    `rules` are the crawl's own selectors for the page's host. Places are named by the words to search for in the HTML: `og:title`,
    `json-ld author`, `<h1>`. `container`, where the row's text is known to be in one, is that element, such as `div.story-body`.
    """
    look = first_look(page, rules)
    found = read_article(page, rules)
    article = found if isinstance(found, Article) else None
    said = _said(look, page, rules) | _judged(look, page, article)
    origins = {name: _in_words(said[name], row[name]) for name in PLACED if row.get(name) not in (None, "", [], ())}
    container = _container(article, str(row.get("text") or ""))
    return origins | ({"container": container} if container else {})


def _said(look: FirstLook, page: Page, rules: SiteRules | None) -> dict[str, Said]:
    """What each place of the page says of each field, in the order in which extraction asks."""
    markup, json_ld = declared.read_declared(look.tree, page)
    hint = (f"hint of the {page.hints.source or 'feed or sitemap'}", page.hints.title)
    descriptions = ((place, declared.shortened(text)) for place, text in _texts(declared.DESCRIPTION, markup, json_ld))
    said: dict[str, Said] = {
        "title": chain(titles(markup, json_ld, look.metadata.site_name, page.url), [hint]),
        "description": descriptions,
        "authors": authors(markup, json_ld),
        "section": _texts(declared.SECTION, markup, json_ld),
        "tags": ((place.place(markup), declared.split_tags(place.values(markup, json_ld))) for place in declared.TAGS),
        "site_name": _texts(declared.SITE_NAME, markup, json_ld),
        "canonical_url": declared.canonical_urls(markup, page.url),
        "lead_image": ((place, declared.whole_image(image, page.url)) for place, image in declared.images(markup, json_ld)),
        "paywalled": declared.paywalls(markup, json_ld),
    }
    return said | {name: chain([ruled], said[name]) for name, ruled in _ruled(look, rules)}


def _ruled(look: FirstLook, rules: SiteRules | None) -> Iterator[tuple[str, tuple[str, object]]]:
    """The fields that the site rules find, by name; they go before what the page's metadata say."""
    if rules is None:
        return
    found = siterules.amend(declared.Metadata(), look.tree, rules)
    for name in ("title", "description", "authors"):
        if value := getattr(found, name):
            yield name, (f"site rule {name}: {getattr(rules, name)}", value)


def _judged(look: FirstLook, page: Page, article: Article | None) -> dict[str, Said]:
    """What is no text on the page but a judgement of it, and what decided it."""
    kind, sign = look.kind
    fitting = forms(look.tree, page.url, look.metadata, look.outline, article.blocks if article else ())
    return {"form": ((sign, form) for form, sign in fitting), "page_type": [(sign, str(kind))]}


def _texts(places: tuple[Place, ...], markup: Markup, json_ld: JsonLd) -> Iterator[Found]:
    return (found for place in places for found in place.each(markup, json_ld))


def _in_words(said: Said, value: object) -> str:
    """The places that say this value: the first, and those beside it."""
    wanted = tuple(value) if isinstance(value, list) else value
    first, *others = [*dict.fromkeys(place for place, text in said if text == wanted)] or [NOT_FOUND]
    return first + (f"; also: {', '.join(others[:MAX_OTHERS])}" if others else "")


def _container(article: Article | None, text: str) -> str | None:
    """The element that the text was in: what this version's code takes, if all of the text is in it."""
    if article is None or not text:
        return None
    lines = set(plain_text(article.blocks).split("\n"))
    return article.container if lines.issuperset(text.split("\n")) else None
