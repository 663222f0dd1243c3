"""What a response says: whether it is a page, a feed or a sitemap, which URLs it names, and what its owner reserves.

In: a `Capture`. Out: a `response.ParsedResponse` with discoveries for the frontier.
`response.read_head` reads status and headers in the worker, and follows redirects: their target is a discovery. `body.read_body` reads
the body in a reader's process, with `links`, `feeds` and `sitemaps` for the three kinds.
"""
