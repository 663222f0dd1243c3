"""The page type: an article or something else.

In: the tree, the metadata and the outline. Out: a `PageType`. Others use `pagetype.page_type`. The model is fitted by
`python -m benchmarks.pages.train_pagetype` and stored in `pagetype.json`.
"""

from schemas.moved import former_module

__getattr__ = former_module(__name__, "processing.article.pagetype.pagetype")
