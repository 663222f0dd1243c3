"""Rows of datasets from stored pages.

In: a decoded `Page`, or what a user's function or spider made. Out: rows of typed values, or the field and value that do not fit. The
names that others use are `read_rows` (`page_rows`) for a page, `RowTyper` (`rows`) for a raw row, and `row_id`, `changed_fields`
(`identity`). A price as a shop writes it is read by `amounts.numbers.read_written_number`.
"""
