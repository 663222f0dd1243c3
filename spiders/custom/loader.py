"""A spider of the user's: finding its class by the name in the YAML, and making one of it."""

from __future__ import annotations

from copy import copy
from pathlib import Path

import scrapy
from scrapy.crawler import Crawler
from tldextract import tldextract

from runtime.user_modules import BrokenModuleError, HiddenModuleError, NoModuleError, import_user_module
from schemas.config.crawl import Crawl
from schemas.config.crawl_file import line_of
from schemas.config.settings import Settings
from schemas.errors import ConfigError, NotFoundError, SpiderError
from spiders.custom.spider_settings import spider_settings


def find_spider(crawl: Crawl, settings: Settings) -> type[scrapy.Spider]:
    """The class that a crawl names as module:Class; its module is next to the crawl files, in CRAWLHOUSE_SPIDERS, or installed.

    Raises NotFoundError for no such module or class, SpiderError for a module that cannot be imported, ConfigError for a class that is not
    a spider.
    """
    module, _, name = crawl.spider.partition(":")
    where = _yaml_location(crawl, settings)
    folders = spider_folders(settings)
    _keep_suffix_list_offline()
    try:
        found = import_user_module(module, [str(folder) for folder in folders])
    except NoModuleError as error:
        raise NotFoundError(f"{where} there is no module {module!r}. Looked in {_folder_names(folders)}.") from error
    except BrokenModuleError as error:
        raise SpiderError(f"{where} {module} cannot be imported: {error}.") from error
    except HiddenModuleError as error:
        raise ConfigError(f"{where} {error}") from error
    return _spider_class(found, name, where)


def _keep_suffix_list_offline() -> None:
    """Make tldextract use the list of public suffixes that it contains.

    Otherwise the first URL rule of a page object downloads the list, and no request may go past the frontier.
    """
    tldextract.TLD_EXTRACTOR = tldextract.TLDExtract(suffix_list_urls=(), cache_dir=None)


def spider_folders(settings: Settings) -> list[Path]:
    """The folders with the modules of users' spiders, in addition to installed packages."""
    return settings.module_folders()


def make_spider(spider_class: type[scrapy.Spider], crawler: Crawler) -> scrapy.Spider:
    """A spider of that class, with a crawler of its own that shares all but the settings with the worker's. Raises SpiderError."""
    own_crawler = copy(crawler)
    own_crawler.spidercls = spider_class
    own_crawler.settings = spider_settings(spider_class, crawler.settings)
    try:
        own_crawler.spider = spider_class.from_crawler(own_crawler)
    except Exception as error:
        raise SpiderError(f"{spider_class.__name__} cannot be made: {type(error).__name__}: {error}.") from error
    return own_crawler.spider


def _spider_class(module: object, name: str, where: str) -> type[scrapy.Spider]:
    found = getattr(module, name, None)
    path = getattr(module, "__file__", None)
    if found is None:
        spiders = [key for key, member in vars(module).items() if _is_spider(member) and member.__module__ == module.__name__]  # type: ignore[attr-defined]
        alternatives = f" There are: {', '.join(sorted(spiders))}." if spiders else " It has no spiders at all."
        raise NotFoundError(f"{where} {path} has no class {name!r}.{alternatives}")
    if not _is_spider(found):
        raise ConfigError(f"{where} {name} in {path} is not a scrapy.Spider. Name a class that inherits from it.")
    if not getattr(found, "name", None):
        raise ConfigError(f'{where} {name} in {path} has no name. Give the class one, like name = "{name.lower()}".')
    assert isinstance(found, type)
    return found


def _is_spider(member: object) -> bool:
    return isinstance(member, type) and issubclass(member, scrapy.Spider)


def _yaml_location(crawl: Crawl, settings: Settings) -> str:
    path = settings.crawls / f"{crawl.name}.yaml"
    line = line_of(path, "spider")
    return f"{path}: line {line}: spider:" if line else f"spider {crawl.spider!r} of {crawl.name}:"


def _folder_names(folders: list[Path]) -> str:
    return f"{', '.join(str(folder) for folder in folders)} and the installed packages; CRAWLHOUSE_SPIDERS names a further folder"
