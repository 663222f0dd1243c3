"""Tests of `spiders.browser`."""
