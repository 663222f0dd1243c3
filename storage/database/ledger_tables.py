"""The ledger's tables. Times are seconds since the epoch, UTC."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, Float, ForeignKey, Index, Integer, String, Table, Text, UniqueConstraint

from storage.database.version_table import METADATA

ROW_ID = BigInteger().with_variant(Integer, "sqlite")  # SQLite gives new numbers to INTEGER keys only

CRAWL_RUNS = Table(
    "crawl_runs",
    METADATA,
    Column("run_no", ROW_ID, primary_key=True),
    Column("crawl_run", String, nullable=False, unique=True),
    Column("crawl", String, nullable=False),
    Column("key", String, nullable=False),
    Column("planned_at", Float, nullable=False),
    Column("code_version", String, nullable=False),
    Column("config_hash", String, nullable=False),
    Column("config", Text, nullable=False),
    Column("state", String, nullable=False),  # planning | open | closing | closed
    Column("stopping", String),  # why its workers should end, if so
    Column("bytes", BigInteger, nullable=False, default=0),  # of the registered segments
    Column("pages", BigInteger, nullable=False, default=0),
    Column("manifest", Text),
    Column("budget_shortfall", Text),  # the due URLs that its budgets do not cover, counted when it was planned: JSON
    UniqueConstraint("crawl", "key"),
)

SEGMENTS = Table(
    "segments",
    METADATA,
    Column("segment", String, primary_key=True),
    Column("crawl_run", String, ForeignKey("crawl_runs.crawl_run"), nullable=False, index=True),
    Column("worker", String, nullable=False),
    Column("warc_key", String, nullable=False),
    Column("index_key", String, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("digest", String, nullable=False),
    Column("records", Integer, nullable=False),
    Column("items", Integer, nullable=False, server_default="0"),  # that a user's spider made of its records
    Column("registered_at", Float, nullable=False),
)

PROCESS_RUNS = Table(
    "process_runs",
    METADATA,
    Column("process_run", String, primary_key=True),
    Column("crawl", String, nullable=False, index=True),
    Column("code_version", String, nullable=False),
    Column("config_hash", String, nullable=False),
    Column("config", Text, nullable=False),
    Column("memory_version", BigInteger, nullable=False),
    Column("base_snapshot", BigInteger),
    Column("datasets", Text),  # their definitions, JSON; NULL: articles alone
    Column("replacement", Text),  # what it replaces and who decided it, JSON; NULL: nothing
    Column("published_at", Float),
)

PROCESS_INPUTS = Table(
    "process_inputs",
    METADATA,
    Column("process_run", String, ForeignKey("process_runs.process_run"), primary_key=True),
    Column("crawl_run", String, ForeignKey("crawl_runs.crawl_run"), primary_key=True),
)

COMMITS = Table(
    "commits",
    METADATA,
    Column("process_run", String, ForeignKey("process_runs.process_run"), primary_key=True),
    Column("table_name", String, primary_key=True),
    Column("snapshot_id", BigInteger, nullable=False),
)

MEMORIES = Table(
    "memories",
    METADATA,
    Column("crawl", String, primary_key=True),
    Column("version", BigInteger, nullable=False),
    Column("process_run", String, nullable=False),
)

COUNTERS = Table(
    "counters",
    METADATA,
    Column("name", String, primary_key=True),
    Column("value", BigInteger, nullable=False),
)

HELD = Table(
    "held",  # rows of a dataset that the gate holds back
    METADATA,
    Column("crawl_run", String, ForeignKey("crawl_runs.crawl_run"), primary_key=True),
    Column("dataset", String, primary_key=True),
    Column("crawl", String, nullable=False, index=True),
    Column("process_run", String, nullable=False),
    Column("reason", Text, nullable=False),
    Column("held_at", Float, nullable=False),
    Column("decision", String),  # accepted | discarded; NULL: undecided
    Column("decided_by", String),
    Column("decided_at", Float),
    Column("decision_reason", Text),
)

RUN_SUMMARIES = Table(
    "run_summaries",  # closed runs in numbers, for lists of many runs: made again from manifests and reports if rows are missing
    METADATA,
    Column("crawl_run", String, ForeignKey("crawl_runs.crawl_run"), primary_key=True),
    Column("closed_at", Float, nullable=False),
    Column("due", BigInteger, nullable=False),
    Column("fetched", BigInteger, nullable=False),
    Column("denied", BigInteger, nullable=False),
    Column("failed", BigInteger, nullable=False),
    Column("filtered", BigInteger, nullable=False),
    Column("left_over", BigInteger, nullable=False),
    Column("bytes", BigInteger, nullable=False),
    Column("finish_reason", String, nullable=False),
    Column("missed", Text),  # the threshold that it missed, as a sentence
    Column("process_run", String),  # whose report these are; NULL: not published when this was written
    Column("published_at", Float),
    Column("records", BigInteger, nullable=False),
    Column("published", BigInteger, nullable=False),
    Column("known", BigInteger, nullable=False),
    Column("duplicate", BigInteger, nullable=False),
    Column("quarantined", BigInteger, nullable=False),
    Column("rejected", BigInteger, nullable=False),
    Column("layout", Text),  # hosts whose pages look different from before, as sentences
)

ALARMS = Table(
    "alarms",  # what is wrong with a crawl, or was
    METADATA,
    Column("crawl", String, primary_key=True),
    Column("kind", String, primary_key=True),
    Column("raised", Boolean, nullable=False),  # false: it was raised once, and is over
    Column("changed_at", Float, nullable=False),
    Column("sentence", Text, nullable=False),
    Column("url", Text),  # an example
    Column("run", String),  # the crawl run or process run in which it was seen
    Column("told", Text, nullable=False),  # the channels that know of this change: JSON
    Column("claimed_at", Float),  # when a process began to tell
)

Index("ix_crawl_runs_state", CRAWL_RUNS.c.crawl, CRAWL_RUNS.c.state)
Index("ix_run_summaries_published_at", RUN_SUMMARIES.c.published_at)
Index("ix_process_inputs_crawl_run", PROCESS_INPUTS.c.crawl_run)
