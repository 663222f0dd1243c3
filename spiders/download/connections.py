"""Keeps connections open between requests, and closes one when its server sends bytes without a request.

Such bytes would be read as the response to the next URL. A host that has sent some gets a new connection for every request.
"""

from __future__ import annotations

import logging
import select
from typing import Any

import aiohttp
from aiohttp.client_proto import ResponseHandler

from spiders.download.lenient_http import LenientResponseHandler

LOG = logging.getLogger(__name__)
MAX_UNRELIABLE = 10_000  # hosts that are remembered; bounds memory


class CheckedConnector(aiohttp.TCPConnector):
    """aiohttp's connection pool. It takes a connection from the pool by `_get` and returns it by `_release`."""

    def __init__(self, **settings: Any) -> None:  # Any: aiohttp's own settings
        super().__init__(**settings)
        self._unreliable: set[Any] = set()  # Any: aiohttp's ConnectionKey, not exported: host, port and how they are reached
        self._factory: Any = lambda: LenientResponseHandler(loop=self._loop)  # Any: aiohttp's type does not take subclasses

    async def _get(self, key: Any, traces: Any) -> Any:
        """An idle connection for the next request, if there is one that received nothing meanwhile."""
        idle = self._conns.get(key, ())
        while idle and _is_readable(idle[0][0]):  # the first is the next to be taken
            idle.popleft()[0].close()
        return await super()._get(key, traces)

    def _release(self, key: Any, protocol: ResponseHandler, *, should_close: bool = False) -> None:
        """Return a connection to the pool after a response."""
        super()._release(key, protocol, should_close=should_close or key in self._unreliable)
        if isinstance(protocol, LenientResponseHandler):
            protocol.mark_idle(lambda: self._mark_unreliable(key))

    def _mark_unreliable(self, key: Any) -> None:
        if key not in self._unreliable and len(self._unreliable) < MAX_UNRELIABLE:
            self._unreliable.add(key)
            LOG.info("%s:%s sends bytes without a request. It gets a new connection for every request.", key.host, key.port)


def _is_readable(protocol: ResponseHandler) -> bool:
    """Whether an idle connection has something to read: bytes without a request, or its end."""
    socket = None if protocol.transport is None else protocol.transport.get_extra_info("socket")
    if socket is None or socket.fileno() < 0:
        return True
    poll = select.poll()
    poll.register(socket.fileno(), select.POLLIN)
    return bool(poll.poll(0))
