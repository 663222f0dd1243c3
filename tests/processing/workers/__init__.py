"""Tests of `processing.workers`."""
