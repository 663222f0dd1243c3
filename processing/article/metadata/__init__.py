"""What a page says of itself: title, authors, times and the rest, from JSON-LD, meta elements, microdata and bylines."""

from schemas.moved import former_module

__getattr__ = former_module(__name__, "processing.article.metadata.metadata")
