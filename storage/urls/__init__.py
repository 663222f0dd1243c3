"""Keys made from URLs.

In: a URL, or a request with a body. Out: the host as it is spelled everywhere (`host_key`), the SURT key of the capture index (`surt`), and
the body of a POST as part of that key (`post_query`). `request_body` reads what a user's spider sends.
"""
