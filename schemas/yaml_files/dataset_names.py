"""The names of datasets and of their fields: which are possible, and which are taken."""

from __future__ import annotations

import re

BUILT_IN = frozenset({"articles"})
DATASET_NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")
FIELD_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,62}")
TABLES_OF_THE_LAKE = frozenset({"captures", "changes", "quarantine", "runs", "sightings", "sources", "taken_down"})
NO_DATASET = "no_dataset"  # in `quarantine`, `runs` and reports: items that no dataset of their crawl takes
VIEW_SUFFIXES = ("_latest",)
PROVENANCE = (
    "url", "host", "fetched_at", "position", "warc_filename", "warc_record_offset", "warc_record_length", "content_digest",
    "crawl", "crawl_run", "process_run", "code_version", "ingested_at", "sequence",
)  # fmt: skip
HISTORY = ("row_id", "version", "first_seen", "changed", "last_seen", "gone_at")
STAGING = ("bucket", "rule", "detail", "reason", "row_json", "dataset")  # columns of staged rows and of quarantine
KEY_COLUMNS = ("url", "host")  # provenance that may be in a key

# The words that DuckDB and Spark reserve: a table of such a name could not be written in SQL without quotes.
_KEYWORDS = """
all analyse analyze and anti any array as asc asymmetric at authorization between both by case cast check collate collation column
concurrently constraint create cross current_date current_time current_timestamp date default deferrable delete desc describe distinct
drop else end escape except exists extract false fetch filter for foreign freeze from full function glob grant group having ilike in
index initially inner insert intersect interval into is isnull join lambda lateral leading left like limit local map minus natural not
notnull null offset on only or order outer overlaps pivot pivot_longer pivot_wider placing positional primary qualify references
returning right row rows select semi set show similar some struct summarize symmetric table tables tablesample then time timestamp to
trailing true try_cast union unique unpivot update user using values variadic verbose view when where window with
"""
SQL_KEYWORDS = frozenset(_KEYWORDS.split())


def check_dataset_name(name: str) -> None:
    """Raises ValueError for a name that no dataset can have, saying why."""
    if not DATASET_NAME.fullmatch(name):
        raise ValueError(f"{name!r} names no dataset: a name is lower-case letters, digits and _, like 'products'")
    if name in TABLES_OF_THE_LAKE:
        raise ValueError(f"the name {name!r} is taken by a table of the lake; rename the file")
    if name == NO_DATASET:
        raise ValueError(f"the name {name!r} is taken: in the table quarantine it stands for items of no dataset; rename the file")
    if name.endswith(VIEW_SUFFIXES):
        raise ValueError(f"the name {name!r} is taken: NAME_latest is the view of the latest rows of the table NAME; rename the file")
    if name in SQL_KEYWORDS:
        raise ValueError(f"{name!r} is a keyword of SQL; rename the file, for instance to '{name}_rows.yaml'")


def check_field_name(name: str) -> None:
    """Raises ValueError for a name that no field can have, saying why."""
    if not FIELD_NAME.fullmatch(name):
        raise ValueError(f"{name!r} names no field: a name is letters, digits and _, and begins with a letter")
    if name.lower() in PROVENANCE:
        raise ValueError(f"every row has a column {name!r} already, which says where the row is from; choose another name")
    if name.lower() in HISTORY + STAGING:
        raise ValueError(f"the name {name!r} is taken by a column that every dataset has; choose another name")


def is_free(name: str) -> bool:
    """Whether a field may have a name."""
    try:
        check_field_name(name)
    except ValueError:
        return False
    return True
