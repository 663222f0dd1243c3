"""A spider of the user's: finding its class by the name in the YAML, and making one of it."""

from __future__ import annotations

import importlib
import logging
import sys
import traceback
from importlib.machinery import PathFinder
from pathlib import Path

import scrapy
from scrapy.crawler import Crawler
from scrapy.settings import Settings as ScrapySettings
from scrapy.settings import default_settings

from schemas.config.crawl import Crawl
from schemas.config.crawl_file import line_of
from schemas.config.settings import Settings
from schemas.errors import ConfigError, NotFoundError, SpiderError

LOG = logging.getLogger(__name__)
YAML_KEYS = {
    "USER_AGENT": "politeness.user_agent",
    "ROBOTSTXT_OBEY": "politeness.robots",
    "DOWNLOAD_DELAY": "politeness.delay",
    "CONCURRENT_REQUESTS_PER_DOMAIN": "politeness.concurrency_per_host",
    "DOWNLOAD_TIMEOUT": "politeness.timeout",
    "DOWNLOAD_MAXSIZE": "budgets.max_body_bytes",
    "RETRY_TIMES": "budgets.max_retries",
    "DEPTH_LIMIT": "scope.max_depth",
    "CLOSESPIDER_PAGECOUNT": "budgets.max_pages",
    "CLOSESPIDER_TIMEOUT": "budgets.max_minutes",
    "COOKIES_ENABLED": "credentials",
    "DEFAULT_REQUEST_HEADERS": "credentials, or the headers of requests",
}


def find_spider(crawl: Crawl, settings: Settings) -> type[scrapy.Spider]:
    """The class that a crawl names as module:Class; its module is beside the crawl files, in CRAWLHOUSE_SPIDERS, or installed.

    Raises NotFoundError for no such module or class, SpiderError for a module that cannot be imported, ConfigError for no spider.
    """
    module, _, name = crawl.spider.partition(":")
    where = _yaml_location(crawl, settings)
    folders = spider_folders(settings)
    _check_module_name(module, folders, where)
    sys.path += [str(folder) for folder in folders if str(folder) not in sys.path]
    try:
        found = importlib.import_module(module)
    except ModuleNotFoundError as error:
        if error.name is None or not f"{module}.".startswith(f"{error.name}."):
            raise SpiderError(f"{where} {module} cannot be imported: {error}. Install what it needs beside crawlhouse.") from error
        raise NotFoundError(f"{where} there is no module {module!r}. Looked in {_folder_names(folders)}.") from error
    except Exception as error:
        raise SpiderError(f"{where} {module} cannot be imported: {type(error).__name__}: {error}{_error_location(error)}.") from error
    return _spider_class(found, name, where)


def _error_location(error: Exception) -> str:
    """Where a module broke, unless the error says it."""
    frame = traceback.extract_tb(error.__traceback__)[-1]
    return "" if isinstance(error, SyntaxError) else f" ({Path(frame.filename).name}, line {frame.lineno})"


def spider_folders(settings: Settings) -> list[Path]:
    """Where the modules of users' spiders are, besides installed packages."""
    return [settings.crawls, *([Path(settings.spiders)] if settings.spiders else [])]


def make_spider(spider_class: type[scrapy.Spider], crawler: Crawler) -> scrapy.Spider:
    """A spider of that class. Of its `custom_settings` it has those that are not Scrapy's. Raises SpiderError."""
    own_settings = {name: value for name, value in (spider_class.custom_settings or {}).items() if not hasattr(default_settings, name)}
    try:
        spider = spider_class.from_crawler(crawler)
    except Exception as error:
        raise SpiderError(f"{spider_class.__name__} cannot be made: {type(error).__name__}: {error}.") from error
    merged = ScrapySettings(dict(crawler.settings.items()))
    merged.setdict(own_settings, priority="spider")
    spider.settings = merged
    _warn_about_settings(spider_class)
    return spider


def _warn_about_settings(spider_class: type[scrapy.Spider]) -> None:
    """Says which of Scrapy's settings have no effect: they would bring back what the frontier, the robots layer and the archive replace."""
    for name in sorted(spider_class.custom_settings or {}):
        if hasattr(default_settings, name):
            yaml_key = f" Say it in the crawl's YAML: {YAML_KEYS[name]}." if name in YAML_KEYS else ""
            LOG.warning("custom_settings[%r] of %s has no effect in crawlhouse.%s", name, spider_class.__name__, yaml_key)


def _spider_class(module: object, name: str, where: str) -> type[scrapy.Spider]:
    found = getattr(module, name, None)
    path = getattr(module, "__file__", None)
    if found is None:
        spiders = [key for key, member in vars(module).items() if _is_spider(member) and member.__module__ == module.__name__]  # type: ignore[attr-defined]
        alternatives = f" There are: {', '.join(sorted(spiders))}." if spiders else " It has no spiders at all."
        raise NotFoundError(f"{where} {path} has no class {name!r}.{alternatives}")
    if not _is_spider(found):
        raise ConfigError(f"{where} {name} in {path} is no scrapy.Spider. Name a class that inherits from it.")
    if not getattr(found, "name", None):
        raise ConfigError(f'{where} {name} in {path} has no name. Give the class one, like name = "{name.lower()}".')
    assert isinstance(found, type)
    return found


def _is_spider(member: object) -> bool:
    return isinstance(member, type) and issubclass(member, scrapy.Spider)


def _check_module_name(module: str, folders: list[Path], where: str) -> None:
    """A file that another module of its name hides would never be found. Raises ConfigError."""
    top = module.partition(".")[0]
    own_spec = PathFinder.find_spec(top, [str(folder) for folder in folders])
    other_spec = PathFinder.find_spec(top, [path for path in sys.path if path not in {str(folder) for folder in folders}])
    is_hidden = own_spec is not None and (other_spec is not None or top in sys.builtin_module_names)
    if is_hidden and own_spec is not None and own_spec.origin != getattr(other_spec, "origin", None):
        raise ConfigError(
            f"{where} {own_spec.origin} has the name of another module, {other_spec.origin if other_spec else top}. Rename the file."
        )


def _yaml_location(crawl: Crawl, settings: Settings) -> str:
    path = settings.crawls / f"{crawl.name}.yaml"
    line = line_of(path, "spider")
    return f"{path}: line {line}: spider:" if line else f"spider {crawl.spider!r} of {crawl.name}:"


def _folder_names(folders: list[Path]) -> str:
    return f"{', '.join(str(folder) for folder in folders)} and the installed packages; CRAWLHOUSE_SPIDERS names a further folder"
