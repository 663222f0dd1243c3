"""The frontier by hand: find, list and change the URLs that a `Selection` matches, also while workers run.

`changes` retries, drops, pauses and resumes, and renames or deletes a crawl; `history.read_history` is all that is known of one URL.
"""
