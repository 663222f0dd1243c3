"""What a response says: its kind, the URLs in it, and when those changed. Runs in a reader's process.

`body.read_body` reads a body; `links`, `feeds` and `sitemaps` are its three kinds; `response` makes discoveries for the frontier of it.
"""
