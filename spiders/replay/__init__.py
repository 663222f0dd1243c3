"""Call the callbacks of a user's spider with stored responses, and stage the items that they yield.

In: a process run that makes rows again (`processing.reprocess`), and the registered segments of its crawl runs. Out: for each segment a
file of items, as a crawl writes it, staged for the process run. `process.replay` runs it as a process of its own; nothing is fetched, and
the requests that callbacks yield are dropped.
"""
