"""Tests of `processing.quarantine`."""
