"""A worker's local disk: the open segment and its journal, until both are registered.

In: captures, results and found URLs from `spiders.session`. Out: the segment in the store, and the results of its URLs in the frontier.
`registrar.Registrar` collects them, `spool` writes them, and `repair` registers what a crashed worker left.
"""

from schemas.moved import former_module

__getattr__ = former_module(__name__, "spiders.spool.spool")
