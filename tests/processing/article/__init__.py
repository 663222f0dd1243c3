"""Tests of `processing.article`."""
