"""`crawlhouse demo`: crawls the bundled sites through Airflow and queries the published tables.

`demo.run_demo` does all of it. `demo_site` starts and stops the bundled sites as a process, `dag_runs` runs the crawls' DAGs, `story` says
what happened, and `tables` shows the queries.
"""

from schemas.moved import former_module

__getattr__ = former_module(__name__, "crawlhouse.demo.demo")
