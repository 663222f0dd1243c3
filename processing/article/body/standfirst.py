"""The standfirst: what stands between the headline and the article and says what it is about."""

from __future__ import annotations

from processing.article.body.phrases import NOTICE
from processing.article.outline.container import STANDFIRST_DISTANCE, STANDFIRST_LENGTH, headline_index, is_standfirst
from processing.article.outline.outline import Outline

_STOPS = frozenset('.!?:”"’…)。！？')


def find_standfirst(outline: Outline, container: int, title: str | None = None) -> str | None:
    """The first sentences between the headline and the container, near the headline; the description of a page that declares none."""
    text_blocks = outline.text_blocks[: outline.elements[container].start]
    head = headline_index(text_blocks, title)
    if head is None:
        return None
    near = text_blocks[head + 1 : head + 1 + STANDFIRST_DISTANCE]
    texts = (block.text for block in near if is_standfirst(block, STANDFIRST_LENGTH))
    return next((text for text in texts if text[-1] in _STOPS and not NOTICE.match(text.lower())), None)
