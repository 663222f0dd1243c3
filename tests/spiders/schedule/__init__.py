"""Tests of `spiders.schedule`."""
