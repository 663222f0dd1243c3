"""Extract: read each record of a WARC segment as an article, or find the reason why it is not an article.

In: a segment and its capture index. Out: staged rows, one per record, and the rows of the crawl's other datasets (`segment_rows`,
`item_rows`); `processing.resolve` reads them. `extraction.extract_segment` is the stage, `reading` reads a page, `rejections` has the
reasons why a record is not an article, and `outdated_revisits` the revisits whose pages are read again. `limited_pages.read_limited` reads
single pages, for `check`, `show` and golden pages.
"""
