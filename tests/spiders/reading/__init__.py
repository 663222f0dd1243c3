"""Tests of `spiders.reading`."""
