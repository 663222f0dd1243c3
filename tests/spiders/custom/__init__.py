"""Tests of `spiders.custom`."""
