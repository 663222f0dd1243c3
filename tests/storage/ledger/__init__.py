"""Tests of `storage.ledger`."""
