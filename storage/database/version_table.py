"""The list of all our tables, `METADATA`, and its first table: the version of the tables in a database."""

from __future__ import annotations

from sqlalchemy import Column, Integer, MetaData, String, Table

METADATA = MetaData()

SCHEMA = Table(
    "schema_version",
    METADATA,
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("made_by", String),  # the release that created the tables or upgraded them last
)
