"""Tests of `storage.warc`."""
