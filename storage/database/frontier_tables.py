"""The frontier's tables. Times are seconds since the epoch, UTC.

`urls.run_no` is the run that a URL waits in, or NULL. One partial index holds only waiting URLs (to read those of a host), the other only
URLs that wait in no run (to plan a run). So neither grows with the URLs of earlier runs.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, Float, Index, Integer, LargeBinary, SmallInteger, String, Table, Text, false, text

from storage.database.ledger_tables import ROW_ID
from storage.database.version_table import METADATA

HOSTS = Table(
    "hosts",
    METADATA,
    Column("host_id", ROW_ID, primary_key=True),
    Column("host", String, nullable=False, unique=True),
    Column("token", BigInteger, nullable=False, server_default="0"),  # grows with every lease: the fencing token
    Column("lease_run", BigInteger),
    Column("lease_worker", String),
    Column("free_at", Float, nullable=False, server_default="0"),  # when the lease ends, or the time to leave the host alone
    Column("leased", Boolean, nullable=False, server_default=false()),
    Column("delay", Float, nullable=False, server_default="0"),  # seconds between requests, as the last worker knew them
    Column("busy", SmallInteger, nullable=False, server_default="0"),  # responses in a row that say so, in the run that leased it last
    Column("failures", SmallInteger, nullable=False, server_default="0"),  # requests in a row without a response, in that run
)

Index("ix_hosts_leased", HOSTS.c.lease_run, HOSTS.c.free_at, sqlite_where=text("leased = 1"), postgresql_where=HOSTS.c.leased)

URLS = Table(
    "urls",
    METADATA,
    Column("url_id", ROW_ID, primary_key=True),
    Column("digest", LargeBinary(16), nullable=False, unique=True),
    Column("crawl", String, nullable=False),
    Column("host_id", BigInteger, nullable=False),
    Column("run_no", BigInteger),
    Column("priority", SmallInteger, nullable=False),
    Column("url", Text, nullable=False),
    Column("kind", String, nullable=False),
    Column("via", Text),
    Column("depth", SmallInteger, nullable=False),
    Column("redirects", SmallInteger, nullable=False),
    Column("first_seen", Float, nullable=False),
    Column("due_at", Float),  # NULL: never again
    Column("held", String),  # dropped | paused, if a person did that
    Column("revisit", Text),  # the revisit policy's state
    Column("etag", Text),
    Column("last_modified", Text),
    Column("content_digest", String),
    Column("capture_filename", Text),  # the registered capture that a revisit record may refer to
    Column("capture_offset", BigInteger),
    Column("captured_at", Float),
    Column("fails", SmallInteger, nullable=False, server_default="0"),
    Column("last_outcome", String),
    Column("last_reason", String),
    Column("last_status", SmallInteger),
    Column("last_fetch", Float),
    Column("hint_title", Text),
    Column("hint_published_at", Float),
    Column("hint_source", Text),
    Column("request", Text),  # the request of a user's spider: callback, arguments, meta, headers (JSON)
    Column(
        "is_primary_source", Boolean, nullable=False, server_default=false()
    ),  # the feed or sitemap in which new pages of the host are looked for
    Column("hinted_by", String),  # the kind of source whose hint made it due
)

_waits = URLS.c.run_no.is_not(None)
_idle = URLS.c.run_no.is_(None)
_waiting_columns = (URLS.c.run_no, URLS.c.host_id, URLS.c.priority, URLS.c.url_id)
Index("ix_urls_waiting", *_waiting_columns, sqlite_where=_waits, postgresql_where=_waits)
Index("ix_urls_primary_sources", URLS.c.host_id, sqlite_where=text("is_primary_source = 1"), postgresql_where=URLS.c.is_primary_source)
Index("ix_urls_due", URLS.c.crawl, URLS.c.due_at, sqlite_where=_idle, postgresql_where=_idle)

RUN_HOSTS = Table(
    "run_hosts",
    METADATA,
    Column("run_no", BigInteger, primary_key=True, autoincrement=False),
    Column("host_id", BigInteger, primary_key=True, autoincrement=False),
    Column("due", BigInteger, nullable=False),  # all URLs that have waited in this run
    Column("pending", BigInteger, nullable=False),  # those without a result yet
    Column("stopped", String),  # why this run fetches nothing more from the host, if so
    Column("received", BigInteger, nullable=False, server_default="0"),  # bytes of the responses of registered results
    Column("begun_at", Float),  # when the run first leased the host
)

_open = (RUN_HOSTS.c.pending > 0) & RUN_HOSTS.c.stopped.is_(None)
Index("ix_run_hosts_open", RUN_HOSTS.c.run_no, RUN_HOSTS.c.host_id, sqlite_where=_open, postgresql_where=_open)

HINTS = Table(
    "hint_trust",
    METADATA,
    Column("crawl", String, primary_key=True),
    Column("host_id", BigInteger, primary_key=True, autoincrement=False),
    Column("source", String, primary_key=True),  # the kind of source whose hints are counted
    Column("confirmed", Float, nullable=False),
    Column("refuted", Float, nullable=False),
    Column("pending", Integer, nullable=False),  # followed, outcome unknown
    Column("followed_at", Float, nullable=False),
)

WORKERS = Table(
    "workers",
    METADATA,
    Column("run_no", BigInteger, primary_key=True, autoincrement=False),
    Column("worker", String, primary_key=True),
    Column("attempt", Integer, nullable=False),
    Column("joined_at", Float, nullable=False),
    Column("reserved", Integer),  # pages of the budget that it reserved and did not register yet; NULL: it never reserved any
    Column("seen_at", Float),  # when it last reserved pages, registered or reported
    Column("active_hosts", Integer, nullable=False, server_default="0"),  # leased hosts that it requests from
    Column("ended_at", Float),  # when it ended in good order; NULL: it is at work, or crashed
    Column("responses", BigInteger, nullable=False, server_default="0"),  # as the worker itself reported, registered or not
    Column("received", BigInteger, nullable=False, server_default="0"),  # bytes
    Column("errors", BigInteger, nullable=False, server_default="0"),
)

FETCHES = Table(
    "fetches",
    METADATA,
    Column("run_no", BigInteger, primary_key=True, autoincrement=False),
    Column("url_id", BigInteger, primary_key=True, autoincrement=False),
    Column("outcome", String, nullable=False),
    Column("reason", String),
    Column("status", SmallInteger),
    Column("fetched_at", Float, nullable=False),
)
Index("ix_fetches_url", FETCHES.c.url_id)

SEED_HOSTS = Table(
    "seed_hosts",
    METADATA,
    Column("crawl", String, primary_key=True),
    Column("host", String, primary_key=True),  # to which a seed's redirects lead: it belongs to the crawl
    Column("url", Text, nullable=False),  # where they ended
)

ROBOTS = Table(
    "robots",
    METADATA,
    Column("origin", String, primary_key=True),  # scheme://host:port
    Column("status", SmallInteger),  # NULL: no response
    Column("body", LargeBinary, nullable=False),
    Column("expires_at", Float, nullable=False),
)
