"""Processes of a test's own functions: forked from one that has imported the storage, not from pytest itself."""

from __future__ import annotations

import multiprocessing
from multiprocessing.context import ForkServerContext

NEEDED = ["storage.frontier.frontier", "storage.lake.lake", "storage.ledger.ledger"]


def fork_context() -> ForkServerContext:
    """Its processes start as `spawn` would have them, without importing all that again."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(NEEDED)
    return context
