"""Tests of `spiders.urls`."""
