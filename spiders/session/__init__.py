"""One worker's session in a run: it leases hosts, fetches their URLs in turn, and settles each exchange.

`session.FetchSession` is the worker's loop; `host` serves one leased host at its `pace`; `exchange` takes in what an exchange brought:
archive, links, and the result of the URL (`results`). From here a capture goes on to `spiders.spool`.
"""

from schemas.moved import former_module

__getattr__ = former_module(__name__, "spiders.session.session")
