"""The page's metadata: title, description, authors, times and more.

In comes the parsed page, out goes `Metadata`. The sources are JSON-LD, meta elements, microdata, `<time>` and bylines. Others use
`metadata.read_metadata`; `dates.read_date` reads one date from text.
"""

from schemas.moved import former_module

__getattr__ = former_module(__name__, "processing.article.metadata.metadata")
