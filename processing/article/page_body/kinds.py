"""The type of a page that is no article, one of seven in all: collections of goods and lists of texts are told apart."""

from __future__ import annotations

from processing.article.article import PageAnalysis
from schemas.article import PageType
from schemas.page import Page


def page_kinds(page: Page, analysis: PageAnalysis) -> tuple[PageType, dict[str, float]]:
    """The page's type, and the probabilities of the types by name."""
    raise NotImplementedError
