"""`crawlhouse demo`: from the bundled site through Airflow to queried Parquet."""

from schemas.moved import former_module

__getattr__ = former_module(__name__, "crawlhouse.demo.demo")
