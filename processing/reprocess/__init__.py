"""Make rows again: from stored captures, under the code and the rules of today, in place of the rows that are there.

In: which captures of a crawl (`selection.Selected`). Out: process runs that replace (`schemas.runs.Replacement`), one for each portion of
the crawl's history. `portions.plan` makes them, `comparison` says what would change, `again.publish` publishes one. `rollback` takes the
rows of crawl runs out.
"""
