"""Run a function on pages in worker processes, with a limit of time and memory per page.

In: items and the name of a function. Out: each item with its result, or `Exceeded` with the reason, in order. Others use
`pool.run_limited` and `pool.Limits`; `heap` bounds the memory that a processing process keeps.
"""
