"""Tests of `storage.lake`."""
