"""Tests of `spiders.closing`."""
