"""Tests of `storage.index`."""
