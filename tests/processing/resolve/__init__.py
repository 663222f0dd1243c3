"""Tests of `processing.resolve`."""
