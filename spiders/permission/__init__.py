"""May this URL be fetched, and may its response be archived?

`robots.RobotsRules` answers the first from robots.txt (RFC 9309); the call to use is `spiders.session.robots_fetch.robots_refusal`, which
also handles large files, in a reader's process. A crawl with `robots: ignore` asks nobody (`spiders.session.host`). `opt_outs` answers
the second from what the owner of a response states: robots directives and the TDM Reservation Protocol. Both take headers and bodies that
others have fetched, and return rules or opt-outs. `takedown_watch` follows the store's takedown list.
"""
