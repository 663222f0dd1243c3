"""Tests that need a running Airflow: they share one, which ends with the last of them."""
