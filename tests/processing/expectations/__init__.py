"""Tests of `processing.expectations`."""
