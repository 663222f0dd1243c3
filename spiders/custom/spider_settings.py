"""The Scrapy settings that a user's spider and its item pipelines see."""

from __future__ import annotations

import importlib
import logging
import sys
from importlib.util import find_spec
from types import ModuleType

import scrapy
from scrapy.settings import BaseSettings, default_settings
from scrapy.settings import Settings as ScrapySettings

from schemas.errors import SpiderError

LOG = logging.getLogger(__name__)
EFFECTIVE = frozenset({"ITEM_PIPELINES"})  # of Scrapy's own names; all others are the business of the crawl's YAML
PROJECT_NAMES = frozenset({"BOT_NAME", "SPIDER_MODULES", "NEWSPIDER_MODULE"})  # `scrapy startproject` writes them: no warning
ADD_ONS = frozenset({"scrapy_poet.Addon", "zyte_common_items.Addon"})  # what they do is done without them: no warning
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


def spider_settings(spider_class: type[scrapy.Spider], worker_settings: BaseSettings) -> ScrapySettings:
    """The worker's settings with the user's `ITEM_PIPELINES` and names of their own, from the spider's project and the class itself.

    Warns of every other setting. Raises SpiderError for a project's settings that cannot be imported.
    """
    own = ScrapySettings()
    project = project_settings(spider_class)
    if project is not None:
        own.setmodule(project, priority="project")
    spider_class.update_settings(own)
    merged = ScrapySettings(dict(worker_settings.items()))
    for name in own:
        if not own.getpriority(name):  # Scrapy's default
            continue
        if name in EFFECTIVE or not hasattr(default_settings, name):
            merged.set(name, own[name], priority="spider")
        else:
            _warn(name, own[name], spider_class, project)
    merged.freeze()
    return merged


def project_settings(spider_class: type[scrapy.Spider]) -> ModuleType | None:
    """The module `PACKAGE.settings` of a spider in a package that `scrapy startproject` laid out; None without one."""
    package, _, rest = spider_class.__module__.partition(".")
    name = f"{package}.settings"
    if not rest or find_spec(name) is None:
        return None
    try:
        module = sys.modules.get(name) or importlib.import_module(name)
    except Exception as error:
        raise SpiderError(f"The settings {name} of {spider_class.__name__} cannot be imported: {type(error).__name__}: {error}.") from error
    return module if hasattr(module, "SPIDER_MODULES") or hasattr(module, "BOT_NAME") else None


def _warn(name: str, value: object, spider_class: type[scrapy.Spider], project: ModuleType | None) -> None:
    """Warns of a setting without effect: it would bring back what the frontier, robots.txt and the archive replace."""
    if name in PROJECT_NAMES or (name == "ADDONS" and isinstance(value, BaseSettings) and set(value) <= ADD_ONS):
        return
    yaml_key = f" Say it in the crawl's YAML: {YAML_KEYS[name]}." if name in YAML_KEYS else ""
    is_custom = project is None or name in (spider_class.custom_settings or {})
    place = f"custom_settings[{name!r}] of {spider_class.__name__}" if is_custom else f"{name} in {project.__name__ if project else ''}"
    LOG.warning("%s has no effect in crawlhouse.%s", place, yaml_key)
