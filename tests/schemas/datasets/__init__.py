"""Tests of schemas/datasets."""
