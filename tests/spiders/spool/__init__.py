"""Tests of `spiders.spool`."""
