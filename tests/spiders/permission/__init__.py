"""Tests of `spiders.permission`."""
