"""The features of a page for the model: cheap measures of its URL, declarations, words and shape."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from math import log1p, nan
from urllib.parse import unquote, urlsplit

from processing.article.metadata.metadata import Metadata
from processing.article.outline.outline import Outline
from processing.article.pagetype.shape import shape_features
from processing.article.pagetype.words import BODY_CLASSES, CLASSES, HOSTS, LABELS, PATHS, TYPES
from processing.article.tree.parse import Node, Tree, tag_number
from schemas.page import Page

MAX_LABEL_CHARACTERS = 40
MAX_LABELS = 1_500
MAX_NAMES_CHARACTERS = 12_000
MAX_ELEMENTS = 20_000
LETTERS_PER_WORD = 8  # bytes of UTF-8: counts words where no blanks part them, too
LATIN_SHARE = 0.3  # of a title that is written in the Latin script
_LATIN = re.compile(r"[A-Za-z]")
_WORD = re.compile(r"\w{3,}")
_DATED = re.compile(r"/(?:19|20)\d\d(?:[/-]\d{1,2}|(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])(?!\d))")
_NUMBER = re.compile(r"\d{5,}")
_HOW = re.compile(r"(?:how|why|what|when|\d+|the \d+|best|top|a guide|is|are|can|should)\b")
_COUNTED = (
    "a img input button select textarea time form video iframe h1 h2 h3 h4 li p table pre code article section dt nav aside "
    "blockquote figure span div script strong em label br ul"
)
_TAGS = {tag: tag_number(tag) for tag in _COUNTED.split()}
_TAG_FEATURES = [(f"tag_{tag}", number) for tag, number in _TAGS.items()]


def page_features(tree: Tree, page: Page, metadata: Metadata, outline: Outline, container: int) -> dict[str, float]:
    """The features by name, each about 0 to 1; NaN where they cannot be measured in the page's language.

    `outline` is of the whole body, `container` the article's element in it.
    """
    links = _label_texts(outline.labels[:MAX_LABELS], len(page.html))
    return {
        **dict(_url_features(page.url, metadata.title or "")),
        **dict(_declaration_features(metadata)),
        **dict(_name_features(tree, outline)),
        **dict(_label_features(links)),
        **dict(_tag_features(outline.tags)),
        **shape_features(outline, container, sum(map(len, links))),
        "page_size": log(len(page.html), 1_000_000),
    }


def _label_texts(labels: list[Node], most: int) -> list[str]:
    """The texts of links and buttons; without the rest where they have more than `most` characters, as links in links have together."""
    texts = []
    for label in labels:
        text = label.text().strip()
        most -= len(text)
        if most < 0:
            break
        texts.append(text)
    return texts


def log(value: float, most: float) -> float:
    """A count on a logarithmic scale from 0 to 1 at `most` and above."""
    return min(log1p(value) / log1p(most), 1.0)


def _url_features(url: str, title: str) -> Iterator[tuple[str, float]]:
    parts = urlsplit(url)
    path, host = parts.path, parts.hostname or ""
    segments = [segment for segment in path.split("/") if segment]
    last = segments[-1] if segments else ""
    foreign = len(_LATIN.findall(title)) < LATIN_SHARE * len(title)  # no slug is made of such a title
    yield "url_home", float(not segments)
    yield "url_depth", min(len(segments), 6) / 6
    yield "url_slug", nan if foreign else min(last.count("-") + last.count("_"), 8) / 8
    yield "url_long_slug", nan if foreign else float(last.count("-") >= 3)
    yield "url_short_last", nan if foreign else float(bool(segments) and last.count("-") == 0)
    yield "url_last_length", nan if foreign else min(len(last), 100) / 100
    yield "url_number", float(_NUMBER.search(path) is not None)
    yield "url_number_last", float(last[-1:].isdecimal())
    yield "url_date", float(_DATED.search(path) is not None)
    yield "url_query", float(bool(parts.query))
    yield "url_file", float(last.endswith((".html", ".htm", ".php", ".aspx")))
    yield "url_capitals", float(last != last.lower())
    for name, pattern in PATHS.items():
        yield name, float(pattern.search(path if name == "path_end" or path.endswith("/") else path + "/") is not None)
    for name, pattern in HOSTS.items():
        yield name, float(pattern.search(host) is not None)
    yield from _title_features(title, unquote(last).lower().replace("_", "-"), foreign)


def _title_features(title: str, slug: str, foreign: bool) -> Iterator[tuple[str, float]]:
    """Articles have long titles, and slugs made from them. NaN for what cannot be measured in another script."""
    lower = title.lower()
    of_title, of_slug = set(_WORD.findall(lower)), set(_WORD.findall(slug))
    both = len(of_title & of_slug)
    yield "title_words", min(max(len(title.split()), len(title.encode()) // LETTERS_PER_WORD), 12) / 12
    yield "title_question", float(title.endswith(("?", "？")))
    yield "title_how", nan if foreign else float(_HOW.match(lower) is not None)
    yield "slug_of_title", nan if foreign else both / (len(of_slug) + 1)
    yield "title_in_slug", nan if foreign else both / (len(of_title) + 1)
    yield "slug_words", nan if foreign else min(both, 8) / 8


def _declaration_features(metadata: Metadata) -> Iterator[tuple[str, float]]:
    kinds = metadata.json_ld_types
    for name, wanted in TYPES.items():
        yield name, float(not wanted.isdisjoint(kinds))
    yield "ld_any", float(bool(kinds))
    yield "ld_kinds", log(len(kinds), 15)
    og_type = (metadata.og_type or "").lower()
    yield "og_any", float(bool(og_type))
    yield "og_article", float(og_type in {"article", "blog", "news"})
    yield "og_product", float(og_type.startswith(("product", "og:product")))
    yield "og_website", float(og_type == "website")
    yield "has_authors", float(bool(metadata.authors))
    for source in ("json-ld", "meta", "time", "text"):
        yield f"date_{source}", float(metadata.published_at_source == source)
    yield "has_section", float(bool(metadata.section))
    yield "has_modified", float(metadata.modified_at is not None)
    yield "has_body", float(len(metadata.json_ld_body or "") > 500)
    yield "has_description", float(bool(metadata.description))
    yield "description_length", min(len(metadata.description or ""), 400) / 400
    yield "has_image", float(bool(metadata.lead_image))
    yield "has_site_name", float(bool(metadata.site_name))
    yield "tags", log(len(metadata.tags), 20)


def _name_features(tree: Tree, outline: Outline) -> Iterator[tuple[str, float]]:
    attributes = tree.body.attributes if tree.body is not None else {}
    of_body = f"{attributes.get('class') or ''} {attributes.get('id') or ''}"[:MAX_NAMES_CHARACTERS].lower()
    distinct = " ".join({element.names: None for element in outline.elements} | dict.fromkeys(outline.left_out)).split()
    names = f"{' '.join(dict.fromkeys(distinct))[:MAX_NAMES_CHARACTERS].lower()} {of_body}"
    yield from _contains_any(CLASSES, names)
    yield "class_products", log(names.count("product"), 50)
    yield "class_posts", log(names.count("post"), 50)
    yield "body_named", float(len(of_body) > 1)
    for word in BODY_CLASSES:
        yield f"body_{word}", float(word in of_body)


def _label_features(links: list[str]) -> Iterator[tuple[str, float]]:
    """Features of the texts of links and buttons."""
    labels = [text for text in links if 0 < len(text) <= MAX_LABEL_CHARACTERS]
    yield from _contains_any(LABELS, "\n".join(dict.fromkeys(labels)).lower())
    yield "replies", log(labels.count("Reply"), 50)
    yield "links", log(len(links), 600)
    yield "long_links", log(sum([len(text) >= 30 for text in links]), 100)
    yield "link_length", min(sum(map(len, links)) / (len(links) + 1) / 60, 1.0)


def _tag_features(tags: list[int]) -> Iterator[tuple[str, float]]:
    """How many elements of each tag the page has outside boilerplate."""
    numbers = Counter(tags)
    total = len(tags) + 1
    yield "elements", log(total, 5_000)
    for name, number in _TAG_FEATURES:
        yield name, log(numbers[number], 300)
    yield "p_share", min(numbers[_TAGS["p"]] / total * 5, 1.0)
    yield "a_share", min(numbers[_TAGS["a"]] / total * 3, 1.0)
    yield "img_share", min(numbers[_TAGS["img"]] / total * 10, 1.0)


def _contains_any(groups: dict[str, tuple[str, ...]], text: str) -> Iterator[tuple[str, float]]:
    """Whether a text has one of the words of each group."""
    for name, words in groups.items():
        yield name, float(any(map(text.__contains__, words)))
