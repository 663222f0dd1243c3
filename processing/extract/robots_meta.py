"""Whether a page asks not to be indexed: by an X-Robots-Tag header or a robots meta element, as `schemas.web.directives` reads them."""

from __future__ import annotations

from processing.article.tree.parse import Tree
from schemas.capture import Capture
from schemas.web.directives import Directives, header_directives, meta_directives, meta_elements


def page_directives(capture: Capture, tree: Tree, product: str) -> Directives:
    """What a page and its headers ask of all robots, and of the one with this product token."""
    in_headers = header_directives(capture.response_headers, product)
    return in_headers.combined(meta_directives(meta_elements(tree), product))


def forbids_indexing(capture: Capture, tree: Tree, product: str) -> bool:
    """Whether the page asked, when it was fetched, not to be indexed."""
    return page_directives(capture, tree, product).forbids_indexing(capture.fetched_at)
