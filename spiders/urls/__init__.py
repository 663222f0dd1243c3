"""Decides about URLs by their text alone, before they enter the frontier.

`canonical` gives each URL one spelling, `scope` decides which URLs belong to the crawl, `traps` detects parts of a site that never end.
In goes a URL; out comes its canonical form, yes or no, or the reason why it is a trap.
"""
