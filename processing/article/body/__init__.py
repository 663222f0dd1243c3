"""The article's blocks.

They are the container's pieces of text without `boilerplate`. `confidence` says how sure that is; `fallback` is a second extractor for
doubtful pages.
"""
