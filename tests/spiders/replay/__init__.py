"""Tests of `spiders.replay`."""
