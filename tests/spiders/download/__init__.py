"""Tests of `spiders.download`."""
