"""Datasets: what rows a crawl makes, one YAML file per table.

In: the text of `datasets/NAME.yaml`. Out: a frozen `Dataset`, its Arrow schemas, and what may change in its table. The names that others
use are `read_datasets` (`dataset_file`), `Dataset` (`dataset`), `table_schema` (`tables`) and `compare_definitions` (`evolution`).
"""
