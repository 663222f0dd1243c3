"""Tests of `processing.publish`."""
