"""Read a page whole: its type, its main text, and the structure that both come from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from processing.article.article import analyze_page
from processing.article.markdown.align import markup_of
from processing.article.markdown.inline import image_markdown
from processing.article.markdown.leaf import leaf_markdown
from processing.article.metadata.metadata import Metadata
from processing.article.page_body.kinds import page_kinds
from processing.article.page_body.page_body import as_block, read_page_body
from processing.article.structure.structure import Structure, StructureBlock
from processing.article.structure.walk import read_structure
from processing.article.tree.parse import Tree
from schemas.article import Article, Block, BlockMarkup, PageType
from schemas.outcomes import Rejected
from schemas.page import Page

if TYPE_CHECKING:
    from schemas.config.crawl import SiteRules


@dataclass(frozen=True, slots=True)
class PageContent:
    """A page's type with how sure it is (0 to 1), its metadata and the blocks of its main text."""

    page_type: PageType
    confidence: float
    metadata: Metadata | Article
    blocks: tuple[Block, ...]
    structure: Structure
    _chosen: tuple[StructureBlock, ...] = ()

    def markup(self) -> tuple[BlockMarkup, ...]:
        """Each block as Markdown."""
        return markup_of(self.blocks, self.structure) if isinstance(self.metadata, Article) else tuple(_markup(self._chosen))


def read_content(page: Page, tree: Tree, rules: SiteRules | None, article: Article | Rejected) -> PageContent:
    """The content of a page. `article` is what `read_article` said of it, with the same tree and rules."""
    structure = read_structure(tree, page.url)
    analysis = analyze_page(page, rules, tree)
    page_type, kinds = page_kinds(page, analysis, structure)
    confidence = round(max(kinds.values(), default=0.0), 3)
    if isinstance(article, Article) and page_type is PageType.ARTICLE:
        return PageContent(page_type, confidence, article, article.blocks, structure)
    own = [block.text for block in article.blocks] if isinstance(article, Article) else []
    chosen = read_page_body(structure, kinds, own)
    blocks = tuple(as_block(block) for block in chosen if block.text)
    return PageContent(page_type, confidence, analysis.metadata, blocks, structure, tuple(chosen))


def _markup(chosen: Sequence[StructureBlock]) -> list[BlockMarkup]:
    """Each block with text as Markdown, with the images before it."""
    markup: list[BlockMarkup] = []
    images: list[str] = []
    for block in chosen:
        if block.is_image:
            images += [image_markdown(piece) for piece in block.pieces if piece.image]
        else:
            markup.append(BlockMarkup(leaf_markdown(block), block.containers, tuple(images)))
            images = []
    return markup
