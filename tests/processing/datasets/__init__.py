"""Tests of processing/datasets."""
