"""An article: typed blocks and metadata. Extraction makes it; the site memory then removes blocks from it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from msgspec import Struct

# those whose source on the page is shown
TRACED_FIELDS = (
    "title", "description", "authors", "section", "tags", "site_name", "canonical_url", "lead_image", "paywalled", "form", "page_type",
)  # fmt: skip


class BlockKind(StrEnum):
    """What a block is."""

    PARAGRAPH = "paragraph"
    HEADING = "heading"
    LIST_ITEM = "list_item"
    QUOTE = "quote"
    TABLE = "table"
    CAPTION = "caption"
    CODE = "code"


class PageType(StrEnum):
    """What a page is; only `article` enters the `articles` table.

    The table `pages` divides hubs: a `collection` is of goods, a `listing` of texts or other entries.
    """

    ARTICLE = "article"
    HUB = "hub"
    COLLECTION = "collection"
    LISTING = "listing"
    PRODUCT = "product"
    FORUM = "forum"
    DOCUMENTATION = "documentation"
    SERVICE = "service"
    GALLERY = "gallery"
    SOFT_404 = "soft_404"
    WALL = "wall"
    OTHER = "other"


# A page has many: a struct is made ten times as fast as a frozen dataclass. The collector need not look at it: it refers to no other block.
class Block(Struct, frozen=True, gc=False):
    """One block of an article's body. Whitespace is folded, except in `code`.

    `level` is the heading's 1-6 or the list's depth from 1, otherwise 0. `link_density` is the share of characters inside links, 0-1.
    """

    kind: BlockKind
    text: str
    level: int = 0
    link_density: float = 0.0


@dataclass(frozen=True, slots=True)
class Container:
    """A quotation or list item around a block. `kind` is `quote`, `bullet` or `number`.

    Blocks of one item have equal `item`, items of one list equal `group`. `number` is that of an item of a numbered list.
    """

    kind: str
    group: int
    item: int
    number: int = 0


@dataclass(frozen=True, slots=True)
class BlockMarkup:
    """A block as Markdown, without what is around it: that is in `containers`, the outermost first. `images` are those before it.

    `markdown` is empty for a caption that its image has already.
    """

    markdown: str
    containers: tuple[Container, ...] = ()
    images: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Article:
    """The article of one page, as extraction read it.

    Times are aware. `published_at_source` and `modified_at_source` name the markup that the time was taken from:
    `json-ld`, `meta`, `time`, `url`, `text`, `hint`, or `modified` for a page that shows only when it was changed. `published_zone` is the
    UTC offset as written (`+02:00`), None if there was none; that of the page's readers if it wrote UTC and shows the day of another zone.
    `extraction_path` names how the blocks were found (for example `container`, `json-ld`, `rescue`). `container` is the signature of the
    element that they were in; the same element is looked for on the host's other pages. `markup` has each block as Markdown, if asked for.
    `form` is the kind of article page: `article`, `live_blog`, `gallery`, `paywalled_stub`, `amp`, `print`.
    """

    url: str
    blocks: tuple[Block, ...]
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
    form: str = "article"
    page_type: PageType = PageType.ARTICLE
    confidence: float = 1.0
    extraction_path: str = "container"
    container: str | None = None
    markup: tuple[BlockMarkup, ...] = ()


def plain_text(blocks: tuple[Block, ...]) -> str:
    """The blocks as plain text, one per line. Captions are left out: they describe pictures."""
    return "\n".join(block.text for block in blocks if block.text and block.kind is not BlockKind.CAPTION)
