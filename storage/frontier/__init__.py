"""The frontier: which URLs wait, which worker may fetch from which host, and what became of each URL.

In: URLs that were found (`records.Discovery`), and what became of URLs (`records.FetchResult`). Out: leases of hosts and their due URLs
(`records.Lease`, `records.DueUrl`). Others call `frontier.open_frontier(settings)` and the methods of the `Frontier`. Most other modules
are parts of its transactions: `leasing` gives hosts to workers (`Frontier.renew` and `Frontier.release` keep and return them), `planning`
plans a run, `enqueue` adds URLs, `registration` writes results and refuses a former owner of a host (`check_tokens`), `closing` closes a
run. `admin` is for changes by hand.
"""

from schemas.moved import former_module

__getattr__ = former_module(__name__, "storage.frontier.frontier")
