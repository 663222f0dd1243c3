"""Tests of `spiders.session`."""
