"""Changing the frontier by hand: count, list and change the URLs that a `Selection` matches, also while workers run.

In: a `selection.Selection` and a `selection.Change`, or a crawl's name. Out: counts and rows for people.
Others call `changes.open_frontier_admin` (retry, drop, pause, resume; rename or delete a crawl) and `history.read_history` (all that is
known of one URL).
"""
