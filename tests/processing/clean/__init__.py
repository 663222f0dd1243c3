"""Tests of `processing.clean`."""
