"""FETCH: web -> WARC segments and their capture index."""

from schemas.moved import keep_former_names

keep_former_names()
