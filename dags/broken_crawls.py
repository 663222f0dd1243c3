"""Crawl files with mistakes, told as an import error in the UI: the crawls beside them keep their DAGs.

Airflow looks at this file because it may hold a DAG; it never does.
"""

from __future__ import annotations

from schemas.crawlfile import read_crawls
from schemas.errors import ConfigError
from schemas.settings import load_settings

_broken = read_crawls(load_settings().crawls)[1]
if _broken:
    raise ConfigError("\n".join(str(error) for error in _broken.values()))
