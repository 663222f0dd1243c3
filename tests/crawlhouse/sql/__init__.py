"""Tests of `crawlhouse.sql`."""
