"""Getting an origin's `/.well-known/tdmrep.json`: what some worker read within a day, or from the site."""

from __future__ import annotations

from typing import TYPE_CHECKING

from spiders.download.failure import FetchFailedError
from spiders.permission.optouts import TDM_FILE, TdmRules, read_tdm_file
from spiders.permission.robots import robots_from_answer
from spiders.session.robots_fetch import follow, robots_of
from storage.frontier.records import Lease

if TYPE_CHECKING:
    from spiders.session.session import FetchSession


async def read_tdm_rules(session: FetchSession, lease: Lease, origin: str) -> tuple[TdmRules, bool]:
    """The rules of an origin, and whether the site was asked for them. A file that cannot be had reserves nothing."""
    url = origin + TDM_FILE
    cached = await session.sql(session.frontier.robots, url)
    if cached is not None:
        return read_tdm_file(cached.body), False
    try:
        capture = await follow(session, lease, url)
    except FetchFailedError:
        cached = robots_from_answer(url, None, b"", None)
    else:
        cached = await robots_of(session, url, capture)
    await session.sql(session.frontier.cache_robots, cached)
    return read_tdm_file(cached.body), True
