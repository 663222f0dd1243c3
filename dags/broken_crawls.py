"""Shows crawl files with mistakes as an import error in Airflow's UI. The other crawls keep their DAGs.

Airflow loads every file of this folder that may contain a DAG. This one never contains one: it only raises the errors.
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
_broken += [f"{_folder / name}.yaml: its DAG cannot be built: {type(error).__name__}: {error}" for name, error in _failed.items()]
if _broken:
    raise ConfigError("\n".join(_broken))
