"""`crawlhouse demo`: crawls the bundled site through Airflow and queries the published tables.

`demo.run_demo` does all of it. `demo_site` starts and stops the bundled site as a process.
"""

from schemas.moved import former_module

__getattr__ = former_module(__name__, "crawlhouse.demo.demo")
