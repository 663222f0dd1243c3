"""Tests of `processing.files`."""
