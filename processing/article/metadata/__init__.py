"""The page's metadata: title, description, authors, times and more.

In: the parsed page. Out: `Metadata`. The sources are JSON-LD, meta elements, microdata, `<time>` and bylines. Others use
`metadata.read_metadata`; `times.read_times` decides which dates are the times of publication and of the last change (a selector of a
crawl's `site_rules` goes before it), with `seen_dates` for what readers see, `fallback_dates` for pages that do not mark them, and
`local_zone` for the offset of readers.
"""

from schemas.moved import former_module

__getattr__ = former_module(__name__, "processing.article.metadata.metadata")
