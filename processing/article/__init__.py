"""Article extraction from one HTML page, without I/O and without state.

In: a `Page` (URL and decoded HTML). Out: an `Article` (blocks of text and metadata), or a `Rejected` with its reason. A page of another
type that has prose is an `Article` with that `page_type`: `processing.extract.reading` rejects it if the crawl wants articles alone.
Others call `article.read_article`. `provenance.read_provenance` says where on the page each field is.
"""

from schemas.moved import former_module

__getattr__ = former_module(__name__, "processing.article.article")
