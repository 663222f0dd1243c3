"""One page's article: parse -> metadata -> outline -> container -> type -> blocks -> confidence -> form -> article."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from processing.article import site_rules as siterules
from processing.article.body.blocks import to_blocks
from processing.article.body.boilerplate import Story, clean
from processing.article.body.confidence import RESCUE_BELOW, confidence
from processing.article.body.fallback import rescue
from processing.article.body.forms import form_of, keep_own_article
from processing.article.metadata.metadata import Metadata, read_metadata
from processing.article.outline.container import find_container, find_lead
from processing.article.outline.host_container import find_known, signature
from processing.article.outline.outline import Outline
from processing.article.outline.walk import read_outline
from processing.article.pagetype.pagetype import judged
from processing.article.tree.parse import Tree, parse
from schemas.article import Article, Block, PageType
from schemas.config.crawl import SiteRules
from schemas.outcomes import Reason, Rejected
from schemas.page import Page


class FirstLook(NamedTuple):
    """What is known of a page before its article is read; `kind` is its type, and what decided it."""

    tree: Tree
    metadata: Metadata
    outline: Outline
    container: int
    kind: tuple[PageType, str]


def read_article(page: Page, rules: SiteRules | None = None, known: Sequence[str] = (), tree: Tree | None = None) -> Article | Rejected:
    """The article of a page, or why there is none. A page that is no article but has prose comes with its `page_type`: let in only what is.

    `rules` are the site's own selectors, where the crawl's YAML has some for the page's host; one that is no selector finds nothing.
    `known` are the signatures of the containers in which the host's other pages have their articles.
    `tree` is the page's, where it is parsed already; it is changed.
    """
    tree, metadata, outline, container, (kind, _) = first_look(page, rules, tree)
    path = "container"
    if rules is not None:
        outline, path = _ruled(tree, metadata.title, rules)
        container = 0 if path == "rule" else find_container(outline)
    at_once = 0 if path == "rule" else find_known(outline, known)
    if at_once is not None:
        container = at_once
    blocks = _read_blocks(outline, container, metadata, whole=path == "rule")
    sure = confidence(outline, blocks, metadata.json_ld_body)
    if sure < RESCUE_BELOW and at_once is None and kind is PageType.ARTICLE:
        saved = rescue(page.html)
        if _length(saved) > _length(blocks):
            blocks, path, sure = saved, "rescue", confidence(outline, saved, metadata.json_ld_body)
    if not blocks:
        return _rejected(page, kind if outline.pieces else PageType.OTHER)
    form = form_of(tree, page.url, metadata, outline, blocks)
    place = signature(outline, container) if path == "container" else None
    return _article(page, metadata, blocks, page_type=kind, form=form, confidence=sure, extraction_path=path, container=place)


def first_look(page: Page, rules: SiteRules | None, tree: Tree | None = None) -> FirstLook:
    """A page's metadata, outline and type; see `read_article`."""
    tree = parse(page.html) if tree is None else tree
    metadata = read_metadata(tree, page)
    if rules is not None:
        metadata = siterules.amend(metadata, tree, rules)  # before the page type, which leans on the title
    outline = read_outline(tree.body)
    keep_own_article(outline, metadata.title)
    container = find_container(outline)
    return FirstLook(tree, metadata, outline, container, judged(tree, page, metadata, outline, container))


def _ruled(tree: Tree, title: str | None, rules: SiteRules) -> tuple[Outline, str]:
    """The outline without what the site's own selectors remove, and `rule` where they name the body, which it then is alone."""
    siterules.remove(tree, rules)
    body = siterules.body(tree, rules)
    outline = read_outline(tree.body if body is None else body)
    keep_own_article(outline, title)
    return outline, "container" if body is None else "rule"


def _read_blocks(outline: Outline, container: int, metadata: Metadata, *, whole: bool) -> tuple[Block, ...]:
    """The article's blocks on an outlined page; `whole`: the outline is the article, as a site rule says."""
    lead = [] if whole else find_lead(outline, container, metadata.description)
    return to_blocks(clean(Story(outline, container, metadata.title, lead)))


def _length(blocks: tuple[Block, ...]) -> int:
    return sum(len(block.text) for block in blocks)


def _rejected(page: Page, kind: PageType) -> Rejected:
    warc = page.pointer
    if kind in {PageType.ARTICLE, PageType.OTHER}:
        return Rejected(page.url, warc.warc_filename, warc.warc_record_offset, "extract", Reason.NO_ARTICLE, "no prose on the page")
    return Rejected(page.url, warc.warc_filename, warc.warc_record_offset, "page_type", Reason(kind.value))


def _article(
    page: Page,
    metadata: Metadata,
    blocks: tuple[Block, ...],
    *,
    page_type: PageType,
    form: str,
    confidence: float,
    extraction_path: str,
    container: str | None,
) -> Article:
    return Article(
        url=page.url,
        blocks=blocks,
        title=metadata.title,
        description=metadata.description,
        authors=metadata.authors,
        published_at=metadata.published_at,
        published_at_source=metadata.published_at_source,
        published_zone=metadata.published_zone,
        modified_at=metadata.modified_at,
        modified_at_source=metadata.modified_at_source,
        language_declared=metadata.language_declared,
        section=metadata.section,
        tags=metadata.tags,
        site_name=metadata.site_name,
        canonical_url=metadata.canonical_url,
        lead_image=metadata.lead_image,
        paywalled=metadata.paywalled,
        form=form,
        page_type=page_type,
        confidence=confidence,
        extraction_path=extraction_path,
        container=container,
    )
