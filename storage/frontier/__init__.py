"""The frontier: which URLs wait, who may fetch from which host, and what became of each URL.

`frontier.open_frontier(settings)` gives the `Frontier`, whose methods are one transaction each. Most other modules are the parts of these
transactions: `enqueue` adds URLs, `queries` reads, `registration` writes what a segment brought. `records` are the values that go in and
come out. `admin` changes the frontier by hand.
"""

from schemas.moved import former_module

__getattr__ = former_module(__name__, "storage.frontier.frontier")
