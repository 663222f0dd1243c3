"""Airflow: the local stack of its four components, its home and REST API, and our pages in its UI."""
