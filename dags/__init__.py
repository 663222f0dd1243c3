"""WHEN: thin Airflow DAG files, no logic."""
