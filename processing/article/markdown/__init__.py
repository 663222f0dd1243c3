"""Markdown (CommonMark with GitHub's tables) of an article's or page's blocks.

In: blocks and the structure of their page. Out: a `BlockMarkup` for each block (`align.markup_of`). `document.write_document` joins the
blocks that were kept, `chunks.split_chunks` cuts them into parts of bounded size.
"""
