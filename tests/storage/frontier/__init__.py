"""Tests of `storage.frontier`."""
