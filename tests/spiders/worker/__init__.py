"""Tests of the worker and whole runs of it."""
