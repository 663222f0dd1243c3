"""The order in which discovered URLs are fetched (lower numbers come first), and how many redirects lead to one."""

LIST_PRIORITY = 0  # feeds and sitemaps: they lead to all others
HINTED_PRIORITY = 10  # pages that a feed or a sitemap names
PAGE_PRIORITY = 20  # pages that are only linked; the depth is added
MAX_PRIORITY_DEPTH = 100  # pages that are deeper all have the same priority
MAX_REDIRECTS = 8  # between a URL and its page; chosen below the 20 of browsers, because each costs a turn of the host
