"""A worker's local disk: the open segment and its journal, until both are registered.

`registrar.Registrar` collects captures, results and found URLs; `spool` writes them; `repair` registers what a dead worker left.
Then the segment is in the store, and the results of its URLs are in the frontier.
"""

from schemas.moved import former_module

__getattr__ = former_module(__name__, "spiders.spool.spool")
