"""Tests of `storage.objects`."""
