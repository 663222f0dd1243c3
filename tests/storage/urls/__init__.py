"""Tests of `storage.urls`."""
