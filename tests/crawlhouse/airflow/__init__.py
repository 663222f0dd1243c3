"""Tests of `crawlhouse.airflow`."""
