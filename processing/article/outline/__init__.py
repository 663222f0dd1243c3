"""The page's outline: its pieces of text in their block elements, made in one walk, and the container that holds the article."""

from schemas.moved import former_module

__getattr__ = former_module(__name__, "processing.article.outline.outline")
