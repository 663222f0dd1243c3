"""crawlhouse's pages as an application in Airflow's API server: `pages.app`, which `crawlhouse.airflow.plugin` loads at the first request.

In: requests, whose user and permissions Airflow knows. Out: the HTML of `crawlhouse.pages`, and runs of the DAG `decide_rows`.
"""
