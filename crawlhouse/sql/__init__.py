"""SQL by users over the published tables: what a query may do (`reading`), how long (`time_limit`), and running it (`query`)."""
