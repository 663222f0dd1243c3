"""Tests of `crawlhouse.reports`."""
