"""FETCH: web -> WARC segments and their capture index."""
