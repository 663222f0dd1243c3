"""The article's blocks.

In comes an outline with its container, out go the blocks of the article: `boilerplate.remove_boilerplate` removes what is not the
article's own, `blocks.to_blocks` converts the rest. `confidence` estimates how right they are; `fallback` is a second extractor for
pages with low confidence.
"""
