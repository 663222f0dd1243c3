"""Read a page with its structure: inline links and emphasis, images, table cells, lists and quotations within one another.

In: the tree. Out: a `Structure`, every text block of the page with its pieces and the block elements around it, boilerplate included.
Only what needs it reads it: Markdown, and the main text of pages that are no articles. `walk.read_structure` makes it.
"""
