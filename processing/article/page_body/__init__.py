"""The main text of any page: all posts of a forum, what a product is, the entries of a list, the sections of a service's page.

In: the page's structure, its posts and comments, and what the article reader took. Out: the page's type (`kinds.page_kinds`), the blocks
that are its main text, and its comments. `processing.article.pagetype` decides only whether a page is an article.
Others call `page_body.read_page_body` and `comments.read_comments`. A fitted model (`page_body.json`, by
`python -m benchmarks.pages.train`) says of each block how likely it is content; the blocks are chosen that make the best F1.
"""
