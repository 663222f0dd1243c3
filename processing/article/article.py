"""Read the article of one page: parse -> metadata -> outline -> container -> page type -> blocks -> confidence -> form.

Before: `processing.extract.reading` has read the page from its WARC record. After: it stages the article as a row.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from processing.article import site_rules
from processing.article.body.article_body import ArticleBody
from processing.article.body.blocks import to_blocks
from processing.article.body.boilerplate import remove_boilerplate
from processing.article.body.calibration import calibrated, measure
from processing.article.body.comment_sections import mark_comment_sections
from processing.article.body.confidence import FALLBACK_BELOW, ReadText, plausibility, read_text
from processing.article.body.fallback import declared_blocks, read_with_trafilatura
from processing.article.body.forms import form_of, mark_other_articles
from processing.article.body.standfirst import find_standfirst
from processing.article.body.teasers import site_name_of
from processing.article.metadata.metadata import Metadata, read_metadata
from processing.article.outline.container import find_container, find_lead, find_recipe_parts
from processing.article.outline.host_container import find_known_container, signature
from processing.article.outline.outline import Outline
from processing.article.outline.walk import read_outline
from processing.article.pagetype.pagetype import MODEL_EVIDENCE, classify_page
from processing.article.tree.parse import Tree, parse
from schemas.article import Article, Block, PageType
from schemas.outcomes import Reason, Rejected
from schemas.page import Page

if TYPE_CHECKING:
    from schemas.config.crawl import SiteRules

MUCH_MORE = 3  # times the text of a sure result: the fallback's may have the title and the byline besides
HARDLY_ANY_TEXT = 100  # characters: an article with less may be elsewhere on the page, however sure its only sentence looks


class PageAnalysis(NamedTuple):
    """What is known of a page before its blocks are read. `classification` is the page type and the evidence for it."""

    tree: Tree
    metadata: Metadata
    outline: Outline
    container: int
    classification: tuple[PageType, str]


class _Body(NamedTuple):
    """The blocks of an article, their text, how they were found, how plausible they are, and the outline and container they are from."""

    blocks: tuple[Block, ...]
    text: ReadText
    path: str
    plausibility: float
    outline: Outline
    container: int


def read_article(page: Page, rules: SiteRules | None = None, known: Sequence[str] = (), tree: Tree | None = None) -> Article | Rejected:
    """Read the article of a page, or the reason why it has none.

    A page of another type that has prose is returned too, with its `page_type`: the caller decides what it lets in.
    `rules` are the crawl's selectors for the page's host, if it has some. A selector with an error matches nothing.
    `known` are the signatures of the elements that hold the articles on the host's other pages.
    `tree` is the page's, if it is parsed already. It is changed.
    """
    analysis = analyze_page(page, rules, tree)
    metadata, page_type = analysis.metadata, analysis.classification[0]
    blocks, text, path, plausible, outline, container = _read_body(page, analysis, rules, known)
    if not blocks:
        return _rejected(page, page_type if outline.text_blocks else PageType.OTHER)
    if metadata.description is None and path == "container":
        metadata = replace(metadata, description=find_standfirst(outline, container, metadata.title))
    form = form_of(analysis.tree, page.url, metadata, outline, blocks)
    found_in = signature(outline, container) if path == "container" else None
    score = calibrated(plausible, measure(outline, container, text, sure=is_sure(analysis)))
    return _article(page, metadata, blocks, page_type=page_type, form=form, confidence=score, extraction_path=path, container=found_in)


def article_measures(page: Page) -> tuple[tuple[Block, ...], float, dict[str, float]]:
    """An article's blocks, their plausibility and the measures from which its confidence is made, to fit its weights."""
    analysis = analyze_page(page, None)
    blocks, text, _, plausible, outline, container = _read_body(page, analysis, None, ())
    return blocks, plausible, measure(outline, container, text, sure=is_sure(analysis))


def is_sure(analysis: PageAnalysis) -> bool:
    """Whether a page is an article without a doubt: the model of page types was not asked."""
    page_type, evidence = analysis.classification
    return page_type is PageType.ARTICLE and evidence != MODEL_EVIDENCE


def analyze_page(page: Page, rules: SiteRules | None, tree: Tree | None = None) -> PageAnalysis:
    """Read a page's metadata, outline, container and type. The parameters are those of `read_article`."""
    tree = parse(page.html, page.utf8) if tree is None else tree
    metadata = read_metadata(tree, page)
    if rules is not None:
        metadata = site_rules.override_metadata(metadata, tree, rules)  # before the page type, because the title counts for it
    outline = read_outline(tree.body)
    mark_other_articles(outline, metadata.title)
    mark_comment_sections(outline)
    container = find_container(outline)
    return PageAnalysis(tree, metadata, outline, container, classify_page(tree, page, metadata, outline, container))


def _read_body(page: Page, analysis: PageAnalysis, rules: SiteRules | None, known: Sequence[str]) -> _Body:
    """The article's blocks by the site rules or from its container; from JSON-LD or the fallback where these show hardly any text."""
    tree, metadata, outline, container, (page_type, _) = analysis
    path = "container"
    if rules is not None:
        outline, path = _apply_site_rules(tree, metadata.title, rules)
        container = 0 if path == "rule" else find_container(outline)
    known_container = 0 if path == "rule" else find_known_container(outline, known)
    if known_container is not None:
        container = known_container
    blocks = _read_blocks(page, outline, container, metadata, whole=path == "rule")
    text = read_text(blocks)
    score = plausibility(outline, text, metadata.json_ld_body)
    declared = declared_blocks(metadata.json_ld_body, blocks) if path == "container" else ()
    if declared:
        blocks, text, path = declared, read_text(declared), "json-ld"
        score = plausibility(outline, text, None)
    unsure = score < FALLBACK_BELOW
    asked = unsure or _length(blocks) < HARDLY_ANY_TEXT
    if asked and path != "json-ld" and known_container is None and page_type is PageType.ARTICLE:
        fallback_blocks = read_with_trafilatura(page.html)
        if _length(fallback_blocks) > _length(blocks) * (1 if unsure else MUCH_MORE):
            blocks, text, path = fallback_blocks, read_text(fallback_blocks), "rescue"
            score = plausibility(outline, text, metadata.json_ld_body)
    return _Body(blocks, text, path, score, outline, container)


def _apply_site_rules(tree: Tree, title: str | None, rules: SiteRules) -> tuple[Outline, str]:
    """Outline the page again by the site rules: without what they remove, and of the body alone where they name it (`rule`)."""
    site_rules.remove_elements(tree, rules)
    body = site_rules.body_element(tree, rules)
    outline = read_outline(tree.body if body is None else body)
    mark_other_articles(outline, title)
    mark_comment_sections(outline)
    return outline, "container" if body is None else "rule"


def _read_blocks(page: Page, outline: Outline, container: int, metadata: Metadata, *, whole: bool) -> tuple[Block, ...]:
    """The article's blocks. `whole`: a site rule named the body, so the outline is the article and has no lead above it."""
    lead = [] if whole else find_lead(outline, container, metadata.description, metadata.language_declared, metadata.title)
    before, after = ([], []) if whole else find_recipe_parts(outline, container)
    opening = set(map(id, lead))
    site = site_name_of(page.url)
    above = lead + [block for block in before if id(block) not in opening]
    return to_blocks(remove_boilerplate(ArticleBody(outline, container, metadata.title, metadata.authors, above, after, site)))


def _length(blocks: tuple[Block, ...]) -> int:
    return sum([len(block.text) for block in blocks])


def _rejected(page: Page, page_type: PageType) -> Rejected:
    warc = page.pointer
    if page_type in {PageType.ARTICLE, PageType.OTHER}:
        return Rejected(page.url, warc.warc_filename, warc.warc_record_offset, "extract", Reason.NO_ARTICLE, "no prose on the page")
    return Rejected(page.url, warc.warc_filename, warc.warc_record_offset, "page_type", Reason(page_type.value))


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
