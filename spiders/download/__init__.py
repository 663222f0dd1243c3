"""One HTTP exchange, kept as it was on the wire.

`handler` downloads, `address_guard` refuses private addresses, `lenient_http` accepts common faults of servers, `credentials` adds headers
from secrets. Out comes a `Capture`, or a `FetchFailedError`.
"""
