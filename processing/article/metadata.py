"""What a page says of itself: title, authors, times, and the rest, from JSON-LD, meta, microdata, `<time>` and bylines."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urljoin, urlsplit

from processing.article.authors import read_authors
from processing.article.jsonld import JsonLd, first_text, read_jsonld, texts
from processing.article.markup import Markup, read_markup
from processing.article.parse import Tree
from processing.article.times import Moment, read_times
from processing.article.titles import folded, read_title
from schemas.page import Page

MAX_DESCRIPTION_CHARACTERS = 2000
MAX_TAGS = 50
_LANGUAGE = re.compile(r"^[a-z]{2,3}(?:[-_][a-z0-9]{2,8})*$", re.IGNORECASE)
_WHOLE = re.compile(r"https?://[^/]")
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
    markup = read_markup(tree)
    json_ld = read_jsonld(markup.json_ld, page.url, " ".join([*markup.all("og:title"), markup.title]))
    article = json_ld.article or {}
    site_name = _site_name(markup, json_ld)
    language = _language(tree, markup, article.get("inLanguage"))
    published, modified = read_times(tree, markup, json_ld, page, language)
    return Metadata(
        title=read_title(markup, json_ld, site_name, page.url) or page.hints.title,
        description=_description(markup, article.get("description")),
        authors=read_authors(markup, json_ld),
        published_at=published.at if published else None,
        published_at_source=published.source if published else None,
        published_zone=published.zone if published else None,
        modified_at=_not_before(modified, published),
        modified_at_source=modified.source if modified and _not_before(modified, published) else None,
        language_declared=language,
        section=first_text(article.get("articleSection")) or _folded(markup.first("article:section", "parsely-section", "dc.subject")),
        tags=_tags(markup, article.get("keywords")),
        site_name=site_name,
        canonical_url=_canonical_url(markup, page.url),
        lead_image=_lead_image(markup, article.get("image"), page.url),
        paywalled=_paywalled(markup, json_ld),
        og_type=_folded(markup.first("og:type")),
        json_ld_types=json_ld.types,
        json_ld_body=first_text(article.get("articleBody")),
    )


def _folded(text: str | None) -> str | None:
    return (folded(text) or None) if text else None


def _not_before(modified: Moment | None, published: Moment | None) -> datetime | None:
    """A modification before publishing is a template's date."""
    if modified is None or (published is not None and modified.at < published.at):
        return None
    return modified.at


def _site_name(markup: Markup, json_ld: JsonLd) -> str | None:
    declared = markup.first("og:site_name", "application-name", "apple-mobile-web-app-title")
    if declared:
        return _folded(declared)
    publisher = json_ld.resolve((json_ld.article or {}).get("publisher"))
    return first_text(publisher) or next((first_text(item) for item in json_ld.objects if item.get("@type") == "WebSite"), None)


def _language(tree: Tree, markup: Markup, in_language: object) -> str | None:
    html = tree.root
    on_root = html.attributes.get("lang") or html.attributes.get("xml:lang") if html is not None else None
    for label in (on_root, markup.first("content-language", "language", "dc.language"), first_text(in_language), markup.first("og:locale")):
        if label and _LANGUAGE.match(label.strip()):
            return label.strip().replace("_", "-")
    return None


def _description(markup: Markup, of_article: object) -> str | None:
    text = _folded(markup.first("og:description", "description", "twitter:description", "dc.description")) or first_text(of_article)
    return text[:MAX_DESCRIPTION_CHARACTERS] if text else None


def _tags(markup: Markup, keywords: object) -> tuple[str, ...]:
    """Tags, not the keyword stuffing of search engines: `article:tag`, then JSON-LD, then the short meta lists."""
    values = markup.all("article:tag") or texts(keywords) or markup.all("parsely-tags", "sailthru.tags", "news_keywords", "keywords")
    tags = (folded(tag) for value in values for tag in value.split(","))
    return tuple(dict.fromkeys(tag for tag in tags if 0 < len(tag) <= 80))[:MAX_TAGS]


def _canonical_url(markup: Markup, url: str) -> str | None:
    """The declared canonical URL, unless it is another site's, or the home page's where this page is not it."""
    for declared in (markup.canonical, markup.first("og:url")):
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
            return target._replace(fragment="").geturl()
    return None


def _absolute(base: str, address: str) -> str:
    """An address as a whole one; most are, and joining is slow."""
    return address if _WHOLE.match(address) else urljoin(base, address)


def _site_of(host: str) -> str:
    """The last labels of a host: three where the last two are short, as in example.co.uk."""
    labels = host.lower().split(".")
    short = len(labels) > 2 and len(labels[-1]) == 2 and len(labels[-2]) <= 3
    return ".".join(labels[-3:] if short else labels[-2:])


def _lead_image(markup: Markup, of_article: object, url: str) -> str | None:
    declared = markup.first("og:image", "og:image:url", "og:image:secure_url", "twitter:image", "twitter:image:src", "parsely-image-url")
    image = declared or _image_url(of_article)
    try:
        absolute = _absolute(url, image) if image else None
    except ValueError:
        return None
    return absolute if absolute and absolute.startswith(("http://", "https://")) else None


def _image_url(value: object) -> str | None:
    if isinstance(value, list) and value:
        return _image_url(value[0])
    if isinstance(value, dict):
        return _image_url(value.get("url") or value.get("contentUrl"))
    return value if isinstance(value, str) else None


def _paywalled(markup: Markup, json_ld: JsonLd) -> bool | None:
    """Whether the page says that it is not free to read; None where it says nothing."""
    for item in (json_ld.article, json_ld.page):
        free = (item or {}).get("isAccessibleForFree")
        if free is not None:
            return str(free).strip().rsplit("/", 1)[-1].lower() in {"false", "no", "0"}
    for name, locked in _PAYWALL_META.items():
        if tier := markup.first(name):
            return tier.strip().lower() in locked
    return None
