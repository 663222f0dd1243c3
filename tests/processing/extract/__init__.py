"""Tests of `processing.extract`."""
