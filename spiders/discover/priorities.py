"""In which order found URLs are fetched: lower numbers first."""

LIST_PRIORITY = 0
HINTED_PRIORITY = 10
PAGE_PRIORITY = 20
MAX_PRIORITY_DEPTH = 100
