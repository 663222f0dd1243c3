"""Airflow on this machine, its REST API, and crawlhouse's pages in its UI.

`stack.start`, `stack.stop` and `stack.status` control the local Airflow. `api.AirflowApi` is a client of its REST API. Airflow itself loads
`plugin` and `executor`.
"""
