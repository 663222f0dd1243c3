"""What a response says: whether it is a page, a feed or a sitemap, which URLs it names, and what its owner reserves.

In: a `Capture`. Out: a `response.ParsedResponse` with discoveries for the frontier.
`response.read_head` reads status and headers in the worker, and follows redirects: their target is a discovery. `body.read_body` reads
the body in a reader's process, with `links`, `feeds` (also `json_feeds`) and `sitemaps` for the three kinds; `link_relations` tells what
links with a relation lead to, `charsets` reads a page's charset, and `refresh` where a page sends its readers.
"""
