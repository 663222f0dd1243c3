"""What a page is: an article or something else, by a fitted model (`pagetype.json`, made by `python -m benchmarks.train_pagetype`)."""

from schemas.moved import former_module

__getattr__ = former_module(__name__, "processing.article.pagetype.pagetype")
