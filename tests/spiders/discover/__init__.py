"""Tests of `spiders.discover`."""
