"""crawlhouse's pages as HTML: the state of crawls, runs, datasets, records, quarantine and hosts. Rendered here, without a browser's help.

In: the settings and a request's parameters. Out: HTML. `crawlhouse.airflow.web.pages` serves them inside Airflow's UI, `crawlhouse report`
writes one page as a file.
"""
