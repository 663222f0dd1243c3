"""Tests of the whole system, run by `make test-system`: slow, and each from a start as a user has it."""
