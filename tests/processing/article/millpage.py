"""An article about a mill, with what a test adds to it."""

from datetime import UTC, datetime

from processing.article.article import read_article
from schemas.article import Article, BlockKind
from schemas.page import Page

PROSE = "".join(
    f"<p>The {who} of the valley told us that the mill would turn again as soon as the river carried enough water after the thaw.</p>"
    for who in ("miller", "mayor", "teacher", "baker", "forester")
)


def blocks(inner: str) -> list[tuple[BlockKind, str]]:
    """The blocks of an article that are not its usual prose."""
    body = f"<article><h1>The old mill turns</h1>{PROSE}{inner}</article>"
    html = f"<html lang=en><head><title>The old mill turns</title></head><body>{body}</body></html>"
    article = read_article(Page("https://valley.example/2025/mill", html, fetched_at=datetime(2025, 6, 1, tzinfo=UTC)))
    assert isinstance(article, Article)
    return [(block.kind, block.text) for block in article.blocks if f"<p>{block.text}</p>" not in PROSE]


def text(inner: str) -> str:
    return "\n".join(own for _, own in blocks(inner))
