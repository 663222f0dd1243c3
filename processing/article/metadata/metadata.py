"""Read all metadata of a page: every field from the most reliable source that has it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urljoin, urlsplit

from processing.article.metadata.field_sources import FieldSource, JsonLdValue, MetaElements, SourcedText, first_value, of_article
from processing.article.metadata.jsonld import MAX_DEPTH, JsonLd, first_text, read_jsonld
from processing.article.metadata.markup import Markup, meta_source, read_markup
from processing.article.metadata.people.authors import read_authors, site_of
from processing.article.metadata.times import Moment, read_times
from processing.article.metadata.titles.titles import read_title
from processing.article.tree.entities import folded, storable, unescaped
from processing.article.tree.parse import Tree
from schemas.page import Page

MAX_DESCRIPTION_CHARACTERS = 2000
MAX_TAGS = 50
_LANGUAGE = re.compile(r"^[a-z]{2,3}(?:[-_][a-z0-9]{2,8})*$", re.IGNORECASE)
_WHOLE = re.compile(r"https?://[^/]")
DESCRIPTION: tuple[FieldSource, ...] = (
    MetaElements(("og:description", "description", "twitter:description", "dc.description")),
    of_article("description"),
)
SECTION: tuple[FieldSource, ...] = (of_article("articleSection"), MetaElements(("article:section", "parsely-section", "dc.subject")))
# Tags, not the keyword stuffing of search engines: the short meta lists come last.
TAGS: tuple[FieldSource, ...] = (
    MetaElements(("article:tag",)),
    of_article("keywords"),
    MetaElements(("parsely-tags", "sailthru.tags", "news_keywords", "keywords")),
)
SITE_NAME: tuple[FieldSource, ...] = (
    MetaElements(("og:site_name", "application-name", "apple-mobile-web-app-title")),
    JsonLdValue("publisher", lambda json_ld: json_ld.resolve((json_ld.article or {}).get("publisher"))),
    JsonLdValue("WebSite", lambda json_ld: next((item for item in json_ld.objects if item.get("@type") == "WebSite"), None)),
)
_APPLICATION = frozenset(("meta application-name", "meta apple-mobile-web-app-title"))
_IMAGES = ("og:image", "og:image:url", "og:image:secure_url", "twitter:image", "twitter:image:src", "parsely-image-url")
_PAYWALL_META = {"article:content_tier": {"locked", "metered"}, "lux:access": {"paid"}, "content_tier": {"locked", "metered"}}


@dataclass(frozen=True, slots=True)
class Metadata:
    """A page's metadata; the fields are those of `Article`.

    Times are aware and in the zone the page wrote (UTC where it wrote none); `published_zone` is that UTC offset, None where none
    was written. `json_ld_types` and `og_type` are for the page type.
    """

    title: str | None = None
    description: str | None = None
    authors: tuple[str, ...] = ()
    published_at: datetime | None = None
    published_at_source: str | None = None
    published_zone: str | None = None
    modified_at: datetime | None = None
    modified_at_source: str | None = None
    language_declared: str | None = None
    section: str | None = None
    tags: tuple[str, ...] = ()
    site_name: str | None = None
    canonical_url: str | None = None
    lead_image: str | None = None
    paywalled: bool | None = None
    og_type: str | None = None
    json_ld_types: frozenset[str] = frozenset()
    json_ld_body: str | None = None


def read_metadata(tree: Tree, page: Page) -> Metadata:
    """The metadata of a page. No I/O; what is implausible is left out."""
    markup, json_ld = read_declared(tree, page)
    article = json_ld.article or {}
    site_name = _site_name(markup, json_ld)
    language = _language(tree, markup, article.get("inLanguage"))
    published, modified = read_times(tree, markup, json_ld, page, language)
    return Metadata(
        title=read_title(markup, json_ld, site_name, page.url) or page.hints.title,
        description=shortened(first_value(DESCRIPTION, markup, json_ld)),
        authors=read_authors(markup, json_ld, site_of(site_name, page.url)),
        published_at=published.at if published else None,
        published_at_source=published.source if published else None,
        published_zone=published.zone if published else None,
        modified_at=_not_before(modified, published),
        modified_at_source=modified.source if modified and _not_before(modified, published) else None,
        language_declared=language,
        section=first_value(SECTION, markup, json_ld),
        tags=split_tags(next((values for source in TAGS if (values := source.values(markup, json_ld))), ())),
        site_name=site_name,
        canonical_url=next((text for _, text in canonical_urls(markup, page.url)), None),
        lead_image=next((whole_image(text, page.url) for _, text in images(markup, json_ld)), None),
        paywalled=next((locked for _, locked in paywalls(markup, json_ld)), None),
        og_type=_folded(markup.first("og:type")),
        json_ld_types=json_ld.types,
        json_ld_body=_body(article.get("articleBody")),
    )


def read_declared(tree: Tree, page: Page) -> tuple[Markup, JsonLd]:
    """The page's markup and its JSON-LD."""
    markup = read_markup(tree)
    return markup, read_jsonld(markup.json_ld, page.url, " ".join([*markup.all("og:title"), markup.title]))


def _body(value: object) -> str | None:
    """The text of JSON-LD's `articleBody`, with its lines."""
    return unescaped(storable(value)).strip() or None if isinstance(value, str) else first_text(value)


def _folded(text: str | None) -> str | None:
    return (folded(text) or None) if text else None


def _not_before(modified: Moment | None, published: Moment | None) -> datetime | None:
    """The time of the last change, unless it lies before publishing: then it is the template's date."""
    if modified is None or (published is not None and modified.at < published.at):
        return None
    return modified.at


def _site_name(markup: Markup, json_ld: JsonLd) -> str | None:
    """The site's name, from the first source that has one. Some templates write the page's title into the name of the application."""
    title = folded(markup.title)
    for source in SITE_NAME:
        for found in source.each(markup, json_ld):
            if found.text and not (
                found.source in _APPLICATION and found.text == title and title != folded(markup.first("og:title") or title)
            ):
                return found.text
    return None


def _language(tree: Tree, markup: Markup, in_language: object) -> str | None:
    html = tree.root
    on_root = html.attributes.get("lang") or html.attributes.get("xml:lang") if html is not None else None
    for label in (on_root, markup.first("content-language", "language", "dc.language"), first_text(in_language), markup.first("og:locale")):
        if label and _LANGUAGE.match(label.strip()):
            return label.strip().replace("_", "-")
    return None


def shortened(text: str | None) -> str | None:
    """A description, cut to MAX_DESCRIPTION_CHARACTERS."""
    return text[:MAX_DESCRIPTION_CHARACTERS] if text else None


def split_tags(values: Iterable[str]) -> tuple[str, ...]:
    """All tags in the texts; a text may hold several, separated by commas."""
    tags = (folded(tag) for value in values for tag in value.split(","))
    return tuple(dict.fromkeys(tag for tag in tags if 0 < len(tag) <= 80))[:MAX_TAGS]


def canonical_urls(markup: Markup, url: str) -> Iterator[SourcedText]:
    """The declared canonical URLs, without those of other sites, and without the home page's on a page that is not the home page."""
    for source, declared in (("link rel=canonical", markup.canonical), ("og:url", markup.first("og:url"))):
        if not declared:
            continue
        try:
            target, here = urlsplit(_absolute(url, declared.strip())), urlsplit(url)
        except ValueError:
            continue
        if target.scheme not in {"http", "https"} or not target.hostname:
            continue
        is_home = target.path in {"", "/"} and not target.query
        if _site_of(target.hostname) == _site_of(here.hostname or "") and not (is_home and (here.path.strip("/") or here.query)):
            yield SourcedText(source, target._replace(fragment="").geturl())


def _absolute(base: str, address: str) -> str:
    """The absolute URL. Most are absolute already, and `urljoin` is slow."""
    return address if _WHOLE.match(address) else urljoin(base, address)


def _site_of(host: str) -> str:
    """The last labels of a host: three where the last two are short, as in example.co.uk."""
    labels = host.lower().split(".")
    short = len(labels) > 2 and len(labels[-1]) == 2 and len(labels[-2]) <= 3
    return ".".join(labels[-3:] if short else labels[-2:])


def images(markup: Markup, json_ld: JsonLd) -> Iterator[SourcedText]:
    """The URLs of the lead image, as written."""
    for name in _IMAGES:
        for text in markup.meta.get(name, ()):
            yield SourcedText(meta_source(name), text)
    if image := _image_url((json_ld.article or {}).get("image")):
        yield SourcedText("json-ld image", image)


def whole_image(image: str, url: str) -> str | None:
    """The absolute URL of an image; None if it is not an HTTP URL."""
    try:
        absolute = _absolute(url, image)
    except ValueError:
        return None
    return absolute if absolute.startswith(("http://", "https://")) else None


def _image_url(value: object) -> str | None:
    for _ in range(MAX_DEPTH):
        if isinstance(value, list) and value:
            value = value[0]
        elif isinstance(value, dict):
            value = value.get("url") or value.get("contentUrl")
    return storable(value) if isinstance(value, str) else None


def paywalls(markup: Markup, json_ld: JsonLd) -> Iterator[tuple[str, bool]]:
    """The sources that say whether the page is behind a paywall, with their answers."""
    for item in (json_ld.article, json_ld.page):
        free = (item or {}).get("isAccessibleForFree")
        if isinstance(free, bool | int | float | str):
            yield "json-ld isAccessibleForFree", str(free).strip().rsplit("/", 1)[-1].lower() in {"false", "no", "0"}
    for name, locked in _PAYWALL_META.items():
        if tier := markup.first(name):
            yield meta_source(name), tier.strip().lower() in locked
