"""One page's article: parse -> metadata -> container -> blocks -> confidence -> article."""

from __future__ import annotations

from schemas.article import Article, Block, BlockKind
from schemas.crawl import SiteRules
from schemas.outcomes import Reason, Rejected
from schemas.page import Page


def read_article(page: Page, rules: SiteRules | None = None) -> Article | Rejected:
    """The article of a page, or why there is none.

    `rules` are the site's own selectors, where the crawl's YAML has some for the page's host.
    """
    from trafilatura import bare_extraction

    document = bare_extraction(page.html, url=page.url, favor_precision=True, include_comments=False, with_metadata=True, deduplicate=False)
    blocks: tuple[Block, ...] = ()
    if document is not None and not isinstance(document, dict):
        blocks = tuple(Block(BlockKind.PARAGRAPH, line.strip()) for line in (document.text or "").split("\n") if line.strip())
    if not blocks or document is None or isinstance(document, dict):
        return Rejected(
            page.url, page.pointer.warc_filename, page.pointer.warc_record_offset, "extract", Reason.NO_ARTICLE, "no prose found"
        )
    return Article(
        url=page.url,
        blocks=blocks,
        title=document.title,
        description=document.description,
        authors=tuple(name.strip() for name in (document.author or "").split(";") if name.strip()),
        site_name=document.sitename,
        canonical_url=document.url,
        lead_image=document.image,
        language_declared=document.language,
        extraction_path="rescue",
    )
