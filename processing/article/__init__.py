"""Article extraction from one HTML page, without I/O and without state.

In comes a `Page` (URL and decoded HTML), out goes an `Article` (blocks of text and metadata) or a `Rejected` with its reason.
`read_article` is what others call. `provenance.read_provenance` says where on the page each field stands.
"""

from __future__ import annotations

from processing.article.article import read_article

__all__ = ["read_article"]
