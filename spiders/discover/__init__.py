"""What a response says: whether it is a page, a feed or a sitemap, which URLs it names, and what its owner reserves.

In goes a `Capture`. `response.read_head` reads its status and headers in the worker; `body.read_body` reads its body in a reader's process,
with `links`, `feeds` and `sitemaps` for the three kinds. Out comes a `response.ParsedResponse` with discoveries for the frontier.
"""
