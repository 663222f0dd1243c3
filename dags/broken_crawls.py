"""Crawl files with mistakes, told as an import error in the UI: the crawls beside them keep their DAGs.

Airflow looks at this file because it may hold a DAG; it never does.
"""

from __future__ import annotations

from dags.crawl import crawl_dag
from dags.loading import crawl_files, load_dags
from dags.process import process_dag
from schemas.config.settings import load_settings
from schemas.errors import ConfigError

_folder = load_settings().crawls
_broken = [str(error) for error in crawl_files(_folder)[1].values()]
_failed = {**load_dags("process", process_dag)[1], **load_dags("crawl", crawl_dag)[1]}
_broken += [f"{_folder / name}.yaml: no DAG can be made of it: {type(error).__name__}: {error}" for name, error in _failed.items()]
if _broken:
    raise ConfigError("\n".join(_broken))
