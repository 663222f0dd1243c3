"""Makes one HTTP exchange and keeps it as it was on the wire.

In: a Scrapy request. Out: a `Capture`, or a `FetchFailedError` with its reason. `handler` downloads. `address_guard` refuses private
addresses, `lenient_http` accepts common faults of servers (`header_repair`, `chunk_repair`), `text_charset` reads files of text such as
robots.txt and sitemaps, and `credentials` gives the headers that come from secrets.
"""
