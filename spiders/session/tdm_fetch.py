"""Getting an origin's `/.well-known/tdmrep.json`: from what some worker read within a day, or from the site."""

from __future__ import annotations

from spiders.permission.opt_outs import TDM_FILE, TdmRules, read_tdm_file
from spiders.session.context import FetchContext
from spiders.session.origin_file import OriginRules, fetch_origin_file, file_to_cache
from storage.frontier.records import Lease


async def read_tdm_rules(context: FetchContext, lease: Lease, origin: str) -> OriginRules[TdmRules]:
    """The rules of an origin. A file that cannot be had reserves nothing."""
    url = origin + TDM_FILE
    cached = await context.database.run(context.frontier.robots, url)
    if cached is not None:
        return OriginRules(read_tdm_file(cached.body), was_asked=False)
    file = await fetch_origin_file(context, lease, url)
    cached = await file_to_cache(context, url, None if file.failure else file.responses[-1])
    await context.database.run(context.frontier.cache_robots, cached)
    return OriginRules(read_tdm_file(cached.body), was_asked=True, responses=file.responses)
