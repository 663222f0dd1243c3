"""The frontier's tables. Times are seconds since the epoch, UTC.

`urls.run_no` is the run that a URL waits in, or NULL: two partial indexes then hold only what is waiting (to lease a batch) and only
what is idle (to plan a run), so that neither grows with what was fetched before.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, Float, Index, Integer, LargeBinary, SmallInteger, String, Table, Text, false, text

from storage.database.engine import METADATA
from storage.database.ledger_tables import ROW_ID

HOSTS = Table(
    "hosts",
    METADATA,
    Column("host_id", ROW_ID, primary_key=True),
    Column("host", String, nullable=False, unique=True),
    Column("token", BigInteger, nullable=False, server_default="0"),  # grows with every lease: the fence
    Column("lease_run", BigInteger),
    Column("lease_worker", String),
    Column("free_at", Float, nullable=False, server_default="0"),  # when the lease or the back-off ends
    Column("leased", Boolean, nullable=False, server_default=false()),
    Column("delay", Float, nullable=False, server_default="0"),  # seconds between requests, as last known
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
    Column("held", String),  # dropped | paused: by hand
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
    Column("request", Text),  # the request of a spider of the user's: callback, arguments, meta, headers (JSON)
    Column(
        "is_primary_source", Boolean, nullable=False, server_default=false()
    ),  # the feed or sitemap that a host's news are looked for in
    Column("hinted_by", String),  # the kind of source that said it was modified, if that made it due
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
    Column("due", BigInteger, nullable=False),  # URLs that ever waited here in this run
    Column("pending", BigInteger, nullable=False),  # of these, not yet marked
    Column("stopped", String),  # why this run leaves the rest of the host alone, if it does
    Column("received", BigInteger, nullable=False, server_default="0"),  # bytes of the answers that the marks stand on
    Column("begun_at", Float),  # when the run first leased the host
)

_open = (RUN_HOSTS.c.pending > 0) & RUN_HOSTS.c.stopped.is_(None)
Index("ix_run_hosts_open", RUN_HOSTS.c.run_no, RUN_HOSTS.c.host_id, sqlite_where=_open, postgresql_where=_open)

HINTS = Table(
    "hint_trust",
    METADATA,
    Column("crawl", String, primary_key=True),
    Column("host_id", BigInteger, primary_key=True, autoincrement=False),
    Column("source", String, primary_key=True),  # the kind of source that says when pages were modified
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
    Column("reserved", Integer),  # pages of the budget that it set aside and did not register yet; NULL: it never asked
    Column("seen_at", Float),  # when it last set pages aside, registered or told what it does
    Column("responses", BigInteger, nullable=False, server_default="0"),  # what it told of itself, registered or not
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

ROBOTS = Table(
    "robots",
    METADATA,
    Column("origin", String, primary_key=True),  # scheme://host:port
    Column("status", SmallInteger),  # NULL: no answer
    Column("body", LargeBinary, nullable=False),
    Column("expires_at", Float, nullable=False),
)
