"""Numbers and prices as machines and people write them.

In: a text. Out: an `Amount`, which is a number and the currency beside it, or the reason why the text has no single one. Others use
`read_plain_number` and `read_written_number` (`numbers`).
"""
