"""The page's outline, and the element that holds the article.

In: the tree. Out: an `Outline`: the page's text blocks and the block elements around them. `walk.read_outline` makes it in one
walk, `container.find_container` finds the article's element in it.
"""

from schemas.moved import former_module

__getattr__ = former_module(__name__, "processing.article.outline.outline")
