"""The types of values in a crawl file. Each is checked and bounded when it is read."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from importlib import import_module
from typing import Annotated, Any
from urllib.parse import SplitResult, urlsplit

from pydantic import AfterValidator, ValidationInfo

from schemas.credentials.redaction import redacted_url
from schemas.web.urls import DEFAULT_PORTS
from schemas.yaml_files.bounds import at_most, is_pinned, length_at_most, one_line
from schemas.yaml_files.dataset_names import check_dataset_name

HOST = re.compile(r"(\[[0-9a-fA-F:.]+\]|[^\s:/?#@\[\]]+)(:\d{1,5})?")
MEDIA_TYPE = re.compile(r"[a-zA-Z]+/(\*|[\w.+-]+)")
LANGUAGE = re.compile(r"[a-z]{2,3}")
SPIDER = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*:[A-Za-z_]\w*")
ORIGIN = re.compile(r"https?://(\[[0-9a-f:.]+\]|[^\s:/?#@\[\]]+)(:\d{1,5})?")
RANDOM_FIELD = re.compile(r"(?:^|[\s,])[HhRr](?:$|[\s,(/])")
SECRET_NAME = r"^[a-z][a-z0-9_]{0,39}$"  # noqa: S105 what a name is like
SITE_SPIDER = "site"
PRESETS = {"@hourly", "@daily", "@weekly", "@monthly", "@yearly", "@once"}

CENTURY_DAYS = 36_525
CENTURY_HOURS = 100 * 365.25 * 24
CENTURY_MINUTES = 60 * CENTURY_HOURS
DAY_SECONDS = 86_400  # the longest delay or timeout
MAX_COUNT = 10**12  # of pages, characters and all other counts: more than any crawl reaches, and far below an int64
MAX_BYTES_OF_RUN = 2**60  # an exbibyte: more than any store, and below an int64
MAX_BODY_BYTES = 16 * 2**30  # a response is held in memory
MAX_DEPTH_OF_LINKS = 30_000  # the frontier keeps a depth in two bytes
MAX_SEEDS = 100_000  # of one file; more of them go into a seeds_file
MAX_HOSTS = 10_000  # a scope is checked for every link
MAX_DATASETS = 50  # of one crawl: each is read from every page
MAX_ENTRIES = 1_000  # of all other lists
MAX_TAGS = 100  # the UI shows all of them
MAX_TAG_CHARACTERS = 100  # Airflow refuses a longer one, and with it all DAGs of the file
_parse_pattern: Any = import_module("re._parser").parse  # the grammar alone: compiling a pattern may take seconds


def _http_url(url: str) -> str:
    parts = _parts(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError(f"{redacted_url(url)!r} is not an absolute http or https URL, like https://example.com/news")
    return url


def _without_password(url: str) -> str:
    if "@" in _parts(url).netloc:
        raise ValueError("a seed must have no user name or password, because it is stored and shown: take it out, and see 'credentials'")
    return url


def _parts(url: str) -> SplitResult:
    """The parts of a URL. Raises ValueError if it cannot be parsed; the message repeats nothing of the URL."""
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        raise ValueError("the host or the port is not valid; a URL is like https://example.com:8080/news") from None
    return parts


def _proxy(url: str, info: ValidationInfo) -> str:
    """A proxy's URL without a login. In a run that an earlier release planned it may have a login."""
    if is_pinned(info):
        return url
    if "@" in url:
        raise ValueError(
            "a proxy's URL must have no user name or password, because it is stored and shown: also write 'proxy_secret: NAME', "
            'and set CRAWLHOUSE_SECRET_NAME to {"user": "...", "password": "..."}'
        )
    parts = _parts(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError("a proxy is http://HOST:PORT or https://HOST:PORT")
    return url


def _pattern(pattern: str) -> str:
    try:
        _parse_pattern(pattern)
    except (re.error, OverflowError) as error:
        raise ValueError(f"{pattern!r} is not a regular expression: {error}") from error
    except RecursionError as error:
        raise ValueError("the regular expression is nested too deeply; write it simpler") from error
    return pattern


def _cron(text: str, info: ValidationInfo) -> str:
    if text in PRESETS or is_pinned(info):
        return text
    try:
        is_cron = _has_dates(text)
    except Exception as error:  # croniter's own errors are of many classes
        raise ValueError(f"{text!r} has no date before or after today: {error}") from error
    if not is_cron:
        raise ValueError(f"{text!r} is not a cron expression (like '0 */6 * * *') nor one of {', '.join(sorted(PRESETS))}")
    return text


def _has_dates(text: str) -> bool:
    """Whether the text is a cron expression whose dates are always the same.

    Raises what croniter raises if there is no next or no previous date; Airflow needs both.
    """
    from croniter import croniter

    if RANDOM_FIELD.search(text) or not croniter.is_valid(text):
        return False
    now = datetime.now(UTC)
    croniter(text, now).get_next(datetime)
    croniter(text, now).get_prev(datetime)
    return True


def _timezone(name: str, info: ValidationInfo) -> str:
    """The name of a zone in the IANA database."""
    if is_pinned(info):  # another machine may have another database
        return name
    from difflib import get_close_matches
    from zoneinfo import ZoneInfo, available_timezones

    try:
        ZoneInfo(name)
    except (OSError, ValueError) as error:  # ZoneInfoNotFoundError is a KeyError
        raise ValueError(f"{name!r} is not a time zone, like Europe/Berlin") from error
    except KeyError as error:
        near = get_close_matches(name, available_timezones(), n=1)
        raise ValueError(f"{name!r} is not a time zone, like Europe/Berlin" + (f"; did you mean {near[0]!r}?" if near else "")) from error
    return name


def _host(host: str) -> str:
    if not HOST.fullmatch(host):
        raise ValueError(f"{host!r} is not a host, like example.com or example.com:8080 (no scheme, no path)")
    _ = urlsplit(f"//{host}").port
    return host.lower()


def _language(code: str) -> str:
    if not LANGUAGE.fullmatch(code):
        raise ValueError(f"{code!r} is not a language code, like 'en' or 'de' (ISO 639-1; write 'no' in quotes, as YAML reads it as false)")
    return code


def _media_type(name: str) -> str:
    if not MEDIA_TYPE.fullmatch(name):
        raise ValueError(f"{name!r} is not a media type, like application/pdf or image/*")
    return name.lower()


def _spider(name: str) -> str:
    if name == SITE_SPIDER or SPIDER.fullmatch(name):
        return name
    raise ValueError(f"{name!r} is not a spider: {SITE_SPIDER}, or a class of your own as module:Class, like my_spiders.shop:ShopSpider")


def _origin(origin: str) -> str:
    origin = origin.lower().removesuffix("/")
    if not ORIGIN.fullmatch(origin):
        raise ValueError(
            f"{origin!r} is not an origin, like https://members.example.com (scheme, host, and a port if it is not the default)"
        )
    return origin.removesuffix(f":{DEFAULT_PORTS[origin.partition(':')[0]]}")


def _dataset_name(name: str) -> str:
    check_dataset_name(name)
    return name


HttpUrl = Annotated[str, length_at_most(8_000), AfterValidator(_http_url)]
SeedUrl = Annotated[str, length_at_most(8_000), AfterValidator(_without_password), AfterValidator(_http_url)]
ProxyUrl = Annotated[str, length_at_most(8_000), AfterValidator(_proxy)]
Pattern = Annotated[str, length_at_most(10_000), AfterValidator(_pattern)]
Cron = Annotated[str, length_at_most(500), AfterValidator(one_line), AfterValidator(_cron)]
Timezone = Annotated[str, length_at_most(100), AfterValidator(one_line), AfterValidator(_timezone)]
Host = Annotated[str, length_at_most(300), AfterValidator(_host)]
Language = Annotated[str, AfterValidator(_language)]
MediaType = Annotated[str, length_at_most(200), AfterValidator(_media_type)]
Spider = Annotated[str, length_at_most(300), AfterValidator(_spider)]
Origin = Annotated[str, length_at_most(300), AfterValidator(_origin)]
Selector = Annotated[str, length_at_most(10_000)]
Line = Annotated[str, length_at_most(1_000), AfterValidator(one_line)]
Tag = Annotated[str, length_at_most(MAX_TAG_CHARACTERS), AfterValidator(one_line)]
Text = Annotated[str, length_at_most(20_000)]
Count = Annotated[int, at_most(MAX_COUNT)]
Bytes = Annotated[int, at_most(MAX_BYTES_OF_RUN)]
Days = Annotated[int, at_most(CENTURY_DAYS)]
Hours = Annotated[float, at_most(CENTURY_HOURS)]
Minutes = Annotated[float, at_most(CENTURY_MINUTES)]
Seconds = Annotated[float, at_most(DAY_SECONDS)]
Patterns = Annotated[tuple[Pattern, ...], length_at_most(MAX_ENTRIES)]
DatasetNames = Annotated[tuple[Annotated[str, AfterValidator(_dataset_name)], ...], length_at_most(MAX_DATASETS)]
Hosts = Annotated[tuple[Host, ...], length_at_most(MAX_HOSTS)]
