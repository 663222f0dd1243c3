"""Decides about URLs by their text alone, before they enter the frontier.

`listed_address` reads addresses in feeds, sitemaps and robots.txt, `canonical` gives each URL one spelling, `scope` decides which URLs
belong to the crawl, `traps` detects parts of a site that never end.
In: a URL. Out: its canonical form, whether it is in scope, or the reason why it is a trap.
"""
