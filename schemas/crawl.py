"""What to crawl: one YAML file per crawl, checked and frozen."""

from __future__ import annotations

import re
from datetime import timedelta
from ipaddress import IPv4Network, IPv6Network
from typing import Annotated, Literal, Self
from urllib.parse import SplitResult, urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationInfo, model_validator

from schemas.redaction import shown_url

MIB = 1024 * 1024
HOST = re.compile(r"(\[[0-9a-fA-F:.]+\]|[^\s:/?#@\[\]]+)(:\d{1,5})?")
MEDIA_TYPE = re.compile(r"[a-zA-Z]+/(\*|[\w.+-]+)")
LANGUAGE = re.compile(r"[a-z]{2,3}")
SPIDER = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*:[A-Za-z_]\w*")
ORIGIN = re.compile(r"https?://(\[[0-9a-f:.]+\]|[^\s:/?#@\[\]]+)(:\d{1,5})?")
SECRET_NAME = r"^[a-z][a-z0-9_]{0,39}$"  # noqa: S105 what a name is like
IN_FILE = "in_file"  # in the context of validation: the crawl is read from a file, not from the ledger
SITE_SPIDER = "site"
OWN_SPIDER_SCOPE = {"follow_links": False, "sitemaps": False, "feeds": False}
PRESETS = {"@hourly", "@daily", "@weekly", "@monthly", "@yearly", "@once"}


def _http_url(url: str) -> str:
    parts = _parts(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError(f"{shown_url(url)!r} is not an absolute http or https URL, like https://example.com/news")
    return url


def _without_password(url: str) -> str:
    if "@" in _parts(url).netloc:
        raise ValueError("a seed holds no user name or password, for it is kept and shown: take it out, and see 'credentials'")
    return url


def _parts(url: str) -> SplitResult:
    """The parts of a URL. Raises ValueError, whose message shows nothing of the URL, for one that has none."""
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        raise ValueError("the host or the port is none; a URL is like https://example.com:8080/news") from None
    return parts


def _proxy(url: str, info: ValidationInfo) -> str:
    """A proxy's URL; in a crawl file without a login. Runs that earlier releases planned may have one."""
    if not (info.context and info.context.get(IN_FILE)):
        return url
    if "@" in url:
        raise ValueError(
            "a proxy's URL holds no user name or password, for it is kept and shown: write 'proxy_secret: NAME' beside it, and set "
            'CRAWLHOUSE_SECRET_NAME to {"user": "...", "password": "..."}'
        )
    parts = _parts(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError("a proxy is http://HOST:PORT or https://HOST:PORT")
    return url


def _pattern(pattern: str) -> str:
    try:
        re.compile(pattern)
    except re.error as error:
        raise ValueError(f"{pattern!r} is not a regular expression: {error}") from error
    return pattern


def _cron(text: str) -> str:
    from croniter import croniter

    if text in PRESETS or croniter.is_valid(text):
        return text
    raise ValueError(f"{text!r} is not a cron expression (like '0 */6 * * *') nor one of {', '.join(sorted(PRESETS))}")


def _host(host: str) -> str:
    if not HOST.fullmatch(host):
        raise ValueError(f"{host!r} is not a host, like example.com or example.com:8080 (no scheme, no path)")
    _ = urlsplit(f"//{host}").port
    return host.lower()


def _language(code: str) -> str:
    if not LANGUAGE.fullmatch(code):
        raise ValueError(f"{code!r} is not a language code, like 'en' or 'de' (ISO 639-1, in quotes where YAML wants them)")
    return code


def _media_type(name: str) -> str:
    if not MEDIA_TYPE.fullmatch(name):
        raise ValueError(f"{name!r} is not a media type, like application/pdf or image/*")
    return name.lower()


def _spider(name: str) -> str:
    if name == SITE_SPIDER or SPIDER.fullmatch(name):
        return name
    raise ValueError(f"{name!r} is no spider: {SITE_SPIDER}, or a class of your own as module:Class, like my_spiders.shop:ShopSpider")


def _origin(origin: str) -> str:
    origin = origin.lower().removesuffix("/")
    if not ORIGIN.fullmatch(origin):
        raise ValueError(f"{origin!r} is no origin, like https://members.example.com (a scheme, a host, a port where it is not the usual)")
    return origin.removesuffix(":443" if origin.startswith("https") else ":80")


HttpUrl = Annotated[str, AfterValidator(_http_url)]
SeedUrl = Annotated[str, AfterValidator(_without_password), AfterValidator(_http_url)]
ProxyUrl = Annotated[str, AfterValidator(_proxy)]
Pattern = Annotated[str, AfterValidator(_pattern)]
Cron = Annotated[str, AfterValidator(_cron)]
Host = Annotated[str, AfterValidator(_host)]
Language = Annotated[str, AfterValidator(_language)]
MediaType = Annotated[str, AfterValidator(_media_type)]
Spider = Annotated[str, AfterValidator(_spider)]
Origin = Annotated[str, AfterValidator(_origin)]


class Part(BaseModel):
    """A part of a crawl's configuration: frozen, and an unknown key is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Seed(Part):
    """Where a crawl starts. `kind: auto` looks at what comes back."""

    url: SeedUrl
    kind: Literal["auto", "page", "feed", "sitemap"] = "auto"


class SeedsFile(Part):
    """Further seeds: an object in the store that ends in .parquet or .csv (its `column` holds URLs), or text with a URL a line."""

    key: str = Field(min_length=1)
    column: str = "url"


class Scope(Part):
    """Which URLs belong to the crawl. `hosts` defaults to the seeds' hosts (with port, where a seed names one).

    Files that are no pages, such as PDF and images, are left where they are unless `keep_types` names them: they are then archived.
    """

    hosts: tuple[Host, ...] = ()
    subdomains: bool = False
    include: tuple[Pattern, ...] = ()
    exclude: tuple[Pattern, ...] = ()
    max_depth: int = Field(default=20, ge=0)
    follow_links: bool = True
    sitemaps: bool = True
    feeds: bool = True
    keep_types: tuple[MediaType, ...] = ()


class Politeness(Part):
    """How a crawl treats the sites. `delay` in seconds between requests to one host."""

    robots: Literal["obey", "ignore"] = "obey"
    opt_outs: Literal["obey", "record"] = "obey"
    user_agent: str = "crawlhouse"
    contact: str = ""
    delay: float = Field(default=1.0, ge=0)
    concurrency_per_host: int = Field(default=1, ge=1, le=64)
    timeout: float = Field(default=30.0, gt=0)

    def product(self) -> str:
        """The product token by which robots.txt groups and opt-outs name this crawler."""
        return self.user_agent.split("/", 1)[0].strip() or "crawlhouse"


class Network(Part):
    """What the fetchers may connect to besides public addresses. Only exact networks, like 127.0.0.1/32.

    `proxy_secret` names the secret with the proxy's user and password, as `Credential.secret` does.
    """

    allow: tuple[IPv4Network | IPv6Network, ...] = ()
    proxy: ProxyUrl | None = None
    proxy_secret: str | None = Field(default=None, pattern=SECRET_NAME)
    verify_tls: bool = True

    @model_validator(mode="after")
    def _secret_of_a_proxy(self) -> Self:
        if self.proxy_secret is not None and self.proxy is None:
            raise ValueError("'proxy_secret' is for a proxy: name the 'proxy', or take it out")
        return self


class Browser(Part):
    """Pages whose text is made by scripts: URLs that match one of `pages` are rendered in Chromium. None by default.

    While it is rendered, a page may fetch scripts, styles and data of the crawl's hosts and of `hosts`. `timeout` in seconds; `wait_for` is
    a CSS selector to wait for instead of the network's rest.
    """

    pages: tuple[Pattern, ...] = ()
    hosts: tuple[Host, ...] = ()
    timeout: float = Field(default=20.0, gt=0, le=120)
    wait_for: str | None = None


class Credential(Part):
    """Whose headers and cookies go to an origin, and to it alone: `secret` is a name, never the secret itself.

    It is looked up as CRAWLHOUSE_SECRET_<NAME> in the environment, or under Airflow as the connection of that name.
    """

    origin: Origin
    secret: str = Field(pattern=SECRET_NAME)


class Budgets(Part):
    """Where a run stops. Sizes in bytes, times in minutes."""

    max_pages: int = Field(default=100_000, ge=1)
    max_pages_per_host: int = Field(default=20_000, ge=1)
    max_bytes: int = Field(default=50 * 1024 * MIB, ge=1)
    max_bytes_per_host: int = Field(default=10 * 1024 * MIB, ge=1)
    max_body_bytes: int = Field(default=16 * MIB, ge=1024)
    max_minutes: float = Field(default=24 * 60, gt=0)
    max_minutes_per_host: float = Field(default=24 * 60, gt=0)
    max_retries: int = Field(default=2, ge=0)


class Revisit(Part):
    """How soon a URL is due again, per kind: bounds between which the interval adapts. In hours; 0 means at every run.

    `price` is how many new articles a fetch of a usual list should bring: the smaller, the more fetches.
    """

    price: float = Field(default=0.5, gt=0)
    feeds_min: float = Field(default=0, ge=0)
    feeds_max: float = Field(default=24 * 7, ge=0)
    sitemaps_min: float = Field(default=0, ge=0)
    sitemaps_max: float = Field(default=24 * 7, ge=0)
    hubs_min: float = Field(default=0, ge=0)
    hubs_max: float = Field(default=24 * 7, ge=0)
    articles_min: float = Field(default=1, ge=0)
    articles_max: float = Field(default=24 * 30, ge=0)

    @model_validator(mode="after")
    def _bounds(self) -> Self:
        for kind in ("feeds", "sitemaps", "hubs", "articles"):
            low, high = getattr(self, f"{kind}_min"), getattr(self, f"{kind}_max")
            if low > high:
                raise ValueError(f"{kind}_min {low:g} is more than {kind}_max {high:g}")
        return self


class Thresholds(Part):
    """When a run counts as failed."""

    min_pages: int = Field(default=0, ge=0)
    max_error_rate: float = Field(default=1.0, ge=0, le=1)


class SiteRules(Part):
    """CSS selectors for one host: the field's text comes from the first match; `remove` is cut out before anything else."""

    body: str | None = None
    title: str | None = None
    authors: str | None = None
    published_at: str | None = None
    description: str | None = None
    remove: tuple[str, ...] = ()


class ArticleOptions(Part):
    """The policy of the `articles` dataset. Lengths in characters."""

    languages: tuple[Language, ...] = ()
    min_length: int = Field(default=200, ge=0)
    max_length: int = Field(default=1_000_000, ge=1)
    near_duplicate_similarity: float = Field(default=0.8, gt=0, le=1)
    site_memory: bool = True
    rules: dict[Host, SiteRules] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _lengths(self) -> Self:
        if self.min_length > self.max_length:
            raise ValueError(f"min_length {self.min_length} is more than max_length {self.max_length}: no article could pass")
        return self


class Crawl(Part):
    """One crawl. Its name is its file's name."""

    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,39}$")]
    description: str = ""
    seeds: tuple[Seed, ...] = ()
    seeds_file: SeedsFile | None = None
    scope: Scope = Scope()
    politeness: Politeness = Politeness()
    network: Network = Network()
    budgets: Budgets = Budgets()
    revisit: Revisit = Revisit()
    thresholds: Thresholds = Thresholds()
    schedule: Cron | None = None
    workers: int = Field(default=1, ge=1, le=100)
    spider: Spider = SITE_SPIDER
    credentials: tuple[Credential, ...] = ()
    browser: Browser = Browser()
    dataset: Literal["articles"] = "articles"
    articles: ArticleOptions = ArticleOptions()
    paused: bool = False
    tags: tuple[str, ...] = ()

    @model_validator(mode="before")
    @classmethod
    def _plain_seeds(cls, data: object) -> object:
        if isinstance(data, dict) and isinstance(data.get("seeds"), list):
            seeds = [{"url": seed} if isinstance(seed, str) else seed for seed in data["seeds"]]
            return {**data, "seeds": seeds}
        return data

    @model_validator(mode="before")
    @classmethod
    def _own_spider_follows(cls, data: object) -> object:
        """A spider of one's own says itself what is followed, unless the file asks for more."""
        if not isinstance(data, dict) or data.get("spider", SITE_SPIDER) == SITE_SPIDER:
            return data
        scope = data.get("scope") or {}
        return {**data, "scope": {**OWN_SPIDER_SCOPE, **scope}} if isinstance(scope, dict) else data

    @model_validator(mode="after")
    def _one_secret_per_origin(self) -> Self:
        origins = [credential.origin for credential in self.credentials]
        if len(set(origins)) < len(origins):
            raise ValueError("'credentials' names an origin twice; one secret may hold several headers and cookies")
        return self

    @model_validator(mode="after")
    def _starts_somewhere(self) -> Self:
        if self.has_own_spider():
            if not self.hosts() and self.seeds_file is None:
                raise ValueError("'scope.hosts' must say where the spider may go, or 'seeds' where it starts")
            return self
        if not self.seeds and self.seeds_file is None:
            raise ValueError("'seeds' needs at least one URL, or 'seeds_file' the key of a file of URLs in the store")
        return self

    def has_own_spider(self) -> bool:
        """Whether a class of the user's says what is fetched."""
        return self.spider != SITE_SPIDER

    def hosts(self) -> tuple[str, ...]:
        """The hosts in scope, lower case, with the port where one is named."""
        if self.scope.hosts:
            return tuple(host.lower() for host in self.scope.hosts)
        return tuple(dict.fromkeys(urlsplit(seed.url).netloc.lower() for seed in self.seeds))

    def secret_names(self) -> list[str]:
        """The names of all secrets that fetching needs, sorted."""
        proxy = [self.network.proxy_secret] if self.network.proxy_secret else []
        return sorted({*(credential.secret for credential in self.credentials), *proxy})

    def max_run_time(self) -> timedelta:
        """How long a run may take."""
        return timedelta(minutes=self.budgets.max_minutes)
