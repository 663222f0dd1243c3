"""Articles from WARC and WACZ files to one Parquet or JSON Lines file, without a lake: `warc_files.extract_files`."""
