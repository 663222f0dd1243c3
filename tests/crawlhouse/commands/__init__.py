"""Tests of `crawlhouse.commands`."""
