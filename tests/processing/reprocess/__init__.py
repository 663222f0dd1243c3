"""Tests of `processing.reprocess`."""
