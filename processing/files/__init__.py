"""Extract articles from any WARC and WACZ files, without a crawl and a lake, as `crawlhouse extract` does.

In: paths of files. Out: one Parquet or JSON Lines file. Others use `warc_files.extract_files`.
"""
