"""Connections that are kept between requests, and given up when a server sends what nobody asked for.

Such bytes would be read as the answer to the next URL. A host that sent some once gets a connection of its own for every request.
"""

from __future__ import annotations

import logging
import select
from typing import Any

import aiohttp
from aiohttp.client_proto import ResponseHandler

from spiders.download.lenient_http import LenientResponseHandler

LOG = logging.getLogger(__name__)
MAX_UNRELIABLE = 10_000


class CheckedConnector(aiohttp.TCPConnector):
    """aiohttp's pool of connections; these two of its methods are where a connection goes to rest and comes back."""

    def __init__(self, **settings: Any) -> None:  # Any: aiohttp's own settings
        super().__init__(**settings)
        self._unreliable: set[Any] = set()  # Any: aiohttp's ConnectionKey, not exported: host, port and how they are reached
        self._factory: Any = lambda: LenientResponseHandler(loop=self._loop)  # Any: aiohttp's type does not take subclasses

    async def _get(self, key: Any, traces: Any) -> Any:
        """A connection at rest for the next request, if one is left that brought nothing meanwhile."""
        idle = self._conns.get(key, ())
        while idle and _is_readable(idle[0][0]):  # the first is the next to be taken
            idle.popleft()[0].close()
        return await super()._get(key, traces)

    def _release(self, key: Any, protocol: ResponseHandler, *, should_close: bool = False) -> None:
        """Takes a connection back after an answer."""
        super()._release(key, protocol, should_close=should_close or key in self._unreliable)
        if isinstance(protocol, LenientResponseHandler):
            protocol.mark_idle(lambda: self._mark_unreliable(key))

    def _mark_unreliable(self, key: Any) -> None:
        if key not in self._unreliable and len(self._unreliable) < MAX_UNRELIABLE:
            self._unreliable.add(key)
            LOG.info("%s:%s sends bytes without being asked: it gets a connection for every request.", key.host, key.port)


def _is_readable(protocol: ResponseHandler) -> bool:
    """Whether a connection at rest has something to read: bytes that nobody asked for, or its end."""
    socket = None if protocol.transport is None else protocol.transport.get_extra_info("socket")
    if socket is None or socket.fileno() < 0:
        return True
    poll = select.poll()
    poll.register(socket.fileno(), select.POLLIN)
    return bool(poll.poll(0))
