"""Clean: a host's rows without what recurs on its pages, with language, signals, digests and MinHash.

`cleaning` does it for one host bucket; `site_memory` knows which blocks recur; `policy` says which rows go to quarantine; `identity` which
article a page is.
"""
