"""Spiders of the user's own: found by name, called with each response, their requests kept in the frontier.

`loader.find_spider` finds the class that a crawl names as `module:Class`. `callbacks` calls its methods. What they yield becomes URLs of
the frontier (`request_text`) or items.
"""
