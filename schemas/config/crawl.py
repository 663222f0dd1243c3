"""The model of a crawl file: every key with its type, its bounds and its default. `docs/crawl_template.yaml` explains each key to users."""

from __future__ import annotations

from datetime import timedelta
from ipaddress import IPv4Network, IPv6Network
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import Field, model_validator

from schemas.config.notify import Notify
from schemas.datasets.expectation import Drift, Expectation
from schemas.datasets.page_options import ChunkSize, PageOptions
from schemas.web.ai_preferences import USES
from schemas.yaml_files.bounds import at_most, length_at_most
from schemas.yaml_files.model import ConfigModel
from schemas.yaml_files.values import (
    MAX_BODY_BYTES,
    MAX_DATASETS,
    MAX_DEPTH_OF_LINKS,
    MAX_ENTRIES,
    MAX_HOSTS,
    MAX_SEEDS,
    MAX_TAGS,
    SECRET_NAME,
    SITE_SPIDER,
    Bytes,
    Count,
    Cron,
    DatasetNames,
    Days,
    Host,
    Hosts,
    Hours,
    Language,
    Line,
    MediaType,
    Minutes,
    Origin,
    Patterns,
    ProxyUrl,
    Seconds,
    SeedUrl,
    Selector,
    Spider,
    Tag,
    Text,
    Timezone,
)

MIB = 1024 * 1024
PAGES = "pages"  # the dataset of whole pages
QUARANTINE = "quarantine"  # a table of all datasets
ARCHIVE = "warc"  # what `retention` calls the segments
OWN_SPIDER_SCOPE = {"follow_links": False, "sitemaps": False, "feeds": False}


class Seed(ConfigModel):
    """Where a crawl starts. With `kind: auto` the response decides what it is."""

    url: SeedUrl
    kind: Literal["auto", "page", "feed", "sitemap"] = "auto"


class SeedsFile(ConfigModel):
    """Further seeds: an object in the store. A .parquet or .csv file has URLs in `column`; any other object is text with a URL a line."""

    key: Line = Field(min_length=1)
    column: Line = "url"


class Scope(ConfigModel):
    """Which URLs belong to the crawl. `hosts` defaults to the seeds' hosts (with a port, if a seed has one).

    Files that are not pages, such as PDF and images, are not archived, unless `keep_types` names their media type.
    """

    hosts: Hosts = ()
    subdomains: bool = False
    include: Patterns = ()
    exclude: Patterns = ()
    max_depth: Annotated[int, at_most(MAX_DEPTH_OF_LINKS)] = Field(default=20, ge=0)
    follow_links: bool = True
    sitemaps: bool = True
    feeds: bool = True
    keep_types: Annotated[tuple[MediaType, ...], length_at_most(MAX_ENTRIES)] = ()


class Politeness(ConfigModel):
    """How a crawl treats the sites. `delay` is in seconds, between requests to one host.

    `uses` says what the rows are for: training AI models, a search engine, or input of AI models. With `ai_preferences: obey` a page is
    rejected if its site forbids one of them, by Content-Usage or Content-Signal.
    """

    robots: Literal["obey", "ignore"] = "obey"
    opt_outs: Literal["obey", "record"] = "obey"
    ai_preferences: Literal["obey", "record"] = "record"
    uses: Annotated[tuple[Literal["train-ai", "search", "ai-input"], ...], length_at_most(len(USES))] = ()
    user_agent: Line = "crawlhouse"
    contact: Line = ""
    delay: Seconds = Field(default=1.0, ge=0)
    concurrency_per_host: int = Field(default=1, ge=1, le=64)
    timeout: Seconds = Field(default=30.0, gt=0)

    @model_validator(mode="after")
    def _uses_to_compare(self) -> Self:
        if self.ai_preferences == "obey" and not self.uses:
            raise ValueError(f"'ai_preferences: obey' needs 'uses', what the rows are for: some of {', '.join(USES)}")
        return self

    def forbidden_uses(self) -> tuple[str, ...]:
        """The uses for which a site's AI preferences decide; none if they are only recorded."""
        return self.uses if self.ai_preferences == "obey" else ()

    def product(self) -> str:
        """The product token by which robots.txt groups and opt-outs name this crawler."""
        return self.user_agent.split("/", 1)[0].strip() or "crawlhouse"


class Network(ConfigModel):
    """What the fetch workers may connect to in addition to public addresses: exact networks only, like 127.0.0.1/32.

    `proxy_secret` names the secret with the proxy's user and password, as `Credential.secret` does.
    """

    allow: Annotated[tuple[IPv4Network | IPv6Network, ...], length_at_most(MAX_ENTRIES)] = ()
    proxy: ProxyUrl | None = None
    proxy_secret: str | None = Field(default=None, pattern=SECRET_NAME)
    verify_tls: bool = True

    @model_validator(mode="after")
    def _secret_of_a_proxy(self) -> Self:
        if self.proxy_secret is not None and self.proxy is None:
            raise ValueError("'proxy_secret' is for a proxy: name the 'proxy', or take it out")
        return self


class Browser(ConfigModel):
    """Pages whose text is made by scripts: URLs that match one of `pages` are rendered in Chromium. None by default.

    While it is rendered, a page may fetch scripts, styles and data from the crawl's hosts and from `hosts`. `timeout` is in seconds.
    `wait_for` is a CSS selector to wait for. Without it, the page is ready when it requests nothing more.
    """

    pages: Patterns = ()
    hosts: Hosts = ()
    timeout: float = Field(default=20.0, gt=0, le=120)
    wait_for: Selector | None = None


class Credential(ConfigModel):
    """Headers and cookies that are sent to one origin only. `secret` is a name, never the secret itself.

    The secret is the variable CRAWLHOUSE_SECRET_<NAME> of the environment, or the Airflow connection of that name.
    """

    origin: Origin
    secret: str = Field(pattern=SECRET_NAME)


class Budgets(ConfigModel):
    """Where a run stops. Sizes are in bytes, times in minutes."""

    max_pages: Count = Field(default=100_000, ge=1)
    max_pages_per_host: Count = Field(default=20_000, ge=1)
    max_bytes: Bytes = Field(default=50 * 1024 * MIB, ge=1)
    max_bytes_per_host: Bytes = Field(default=10 * 1024 * MIB, ge=1)
    max_body_bytes: Annotated[int, at_most(MAX_BODY_BYTES)] = Field(default=16 * MIB, ge=1024)
    max_minutes: Minutes = Field(default=24 * 60, gt=0)
    max_minutes_per_host: Minutes = Field(default=24 * 60, gt=0)
    max_retries: Annotated[int, at_most(MAX_ENTRIES)] = Field(default=2, ge=0)


class Revisit(ConfigModel):
    """How soon a URL is due again, per kind: the bounds between which the interval adapts. In hours; 0 means at every run.

    `price` is how many new articles a fetch of an ordinary list should bring. A smaller price means more fetches.
    """

    price: Annotated[float, at_most(1_000_000)] = Field(default=0.5, gt=0)
    feeds_min: Hours = Field(default=0, ge=0)
    feeds_max: Hours = Field(default=24 * 7, ge=0)
    sitemaps_min: Hours = Field(default=0, ge=0)
    sitemaps_max: Hours = Field(default=24 * 7, ge=0)
    hubs_min: Hours = Field(default=0, ge=0)
    hubs_max: Hours = Field(default=24 * 7, ge=0)
    articles_min: Hours = Field(default=1, ge=0)
    articles_max: Hours = Field(default=24 * 30, ge=0)

    @model_validator(mode="after")
    def _bounds(self) -> Self:
        for kind in ("feeds", "sitemaps", "hubs", "articles"):
            low, high = getattr(self, f"{kind}_min"), getattr(self, f"{kind}_max")
            if low > high:
                raise ValueError(f"{kind}_min {low:g} is more than {kind}_max {high:g}")
        return self


class Thresholds(ConfigModel):
    """When a run counts as failed."""

    min_pages: Count = Field(default=0, ge=0)
    max_error_rate: float = Field(default=1.0, ge=0, le=1)


class SiteRules(ConfigModel):
    """CSS selectors for one host. A field's text is that of the first match. Matches of `remove` are deleted before anything else."""

    body: Selector | None = None
    title: Selector | None = None
    authors: Selector | None = None
    published_at: Selector | None = None
    description: Selector | None = None
    remove: Annotated[tuple[Selector, ...], length_at_most(MAX_ENTRIES)] = ()


class ArticleOptions(ConfigModel):
    """Which articles are published, and with which columns. Lengths are in characters.

    `markdown` fills the column `markdown`; `chunks` fills `chunks` with parts of at most so many characters.
    """

    languages: Annotated[tuple[Language, ...], length_at_most(MAX_ENTRIES)] = ()
    min_length: Count = Field(default=200, ge=0)
    max_length: Count = Field(default=1_000_000, ge=1)
    near_duplicate_similarity: float = Field(default=0.8, gt=0, le=1)
    site_memory: bool = True
    markdown: bool = False
    chunks: ChunkSize | None = Field(default=None, ge=200)
    rules: Annotated[dict[Host, SiteRules], length_at_most(MAX_HOSTS)] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _lengths(self) -> Self:
        if self.min_length > self.max_length:
            raise ValueError(f"min_length {self.min_length} is more than max_length {self.max_length}: no article could pass")
        return self

    @property
    def wants_markup(self) -> bool:
        """Whether extraction keeps inline elements, lists and images."""
        return self.markdown or self.chunks is not None


class Crawl(ConfigModel):
    """One crawl. Its name is its file's name. `datasets` are the tables that its pages fill.

    `expectations` and `drift` are what this crawl expects of its rows besides what the datasets' own files say, by dataset. `retention`
    says after how many days its rows leave the table of a dataset, or `quarantine`, and its segments the archive (`warc`).
    """

    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,39}$")]
    description: Text = ""
    owner: Line = ""
    seeds: Annotated[tuple[Seed, ...], length_at_most(MAX_SEEDS)] = ()
    seeds_file: SeedsFile | None = None
    scope: Scope = Scope()
    politeness: Politeness = Politeness()
    network: Network = Network()
    budgets: Budgets = Budgets()
    revisit: Revisit = Revisit()
    thresholds: Thresholds = Thresholds()
    schedule: Cron | None = None
    timezone: Timezone = "UTC"
    workers: int = Field(default=1, ge=1, le=100)
    spider: Spider = SITE_SPIDER
    credentials: Annotated[tuple[Credential, ...], length_at_most(MAX_ENTRIES)] = ()
    browser: Browser = Browser()
    datasets: DatasetNames = ("articles",)
    expectations: Annotated[dict[str, Annotated[tuple[Expectation, ...], length_at_most(MAX_ENTRIES)]], length_at_most(MAX_DATASETS)] = (
        Field(default_factory=dict)
    )
    drift: Annotated[dict[str, Annotated[tuple[Drift, ...], length_at_most(MAX_ENTRIES)]], length_at_most(MAX_DATASETS)] = Field(
        default_factory=dict
    )
    retention: Annotated[dict[str, Annotated[Days, Field(ge=1)]], length_at_most(MAX_DATASETS)] = Field(default_factory=dict)
    articles: ArticleOptions = ArticleOptions()
    pages: PageOptions = PageOptions()
    notify: Annotated[tuple[Notify, ...], length_at_most(MAX_ENTRIES)] = ()
    paused: bool = False
    tags: Annotated[tuple[Tag, ...], length_at_most(MAX_TAGS)] = ()

    @model_validator(mode="before")
    @classmethod
    def _plain_seeds(cls, data: object) -> object:
        if isinstance(data, dict) and isinstance(data.get("seeds"), list):
            seeds = [{"url": seed} if isinstance(seed, str) else seed for seed in data["seeds"]]
            return {**data, "seeds": seeds}
        return data

    @model_validator(mode="before")
    @classmethod
    def _plain_channels(cls, data: object) -> object:
        """Channels by their names alone, which are told of everything."""
        if isinstance(data, dict) and isinstance(data.get("notify"), list):
            return {**data, "notify": [{"channel": one} if isinstance(one, str) else one for one in data["notify"]]}
        return data

    @model_validator(mode="before")
    @classmethod
    def _former_dataset(cls, data: object) -> object:
        """The key `dataset` of earlier releases, which named one dataset."""
        if not isinstance(data, dict) or "dataset" not in data or "datasets" in data:
            return data
        return {**{name: value for name, value in data.items() if name != "dataset"}, "datasets": [data["dataset"]]}

    @model_validator(mode="after")
    def _each_dataset_once(self) -> Self:
        if not self.datasets or len(set(self.datasets)) < len(self.datasets):
            raise ValueError("'datasets' names one dataset or more, each once, like [articles, products]")
        return self

    @model_validator(mode="after")
    def _options_of_its_datasets(self) -> Self:
        if self.pages != PageOptions() and PAGES not in self.datasets:
            raise ValueError(f"'pages' sets options of the dataset 'pages': write datasets: [{', '.join((*self.datasets, PAGES))}]")
        return self

    @model_validator(mode="after")
    def _expects_of_its_datasets(self) -> Self:
        for key, names in (("expectations", self.expectations), ("drift", self.drift)):
            for name in names:
                if name not in self.datasets:
                    raise ValueError(f"'{key}' names {name!r}, which is none of the crawl's datasets: {', '.join(self.datasets)}")
        return self

    @model_validator(mode="after")
    def _keeps_rows_of_its_tables(self) -> Self:
        for name in self.retention:
            if name not in {*self.datasets, QUARANTINE, ARCHIVE}:
                raise ValueError(f"'retention' names {name!r}, which is none of {', '.join((*self.datasets, QUARANTINE, ARCHIVE))}")
        return self

    @model_validator(mode="before")
    @classmethod
    def _own_spider_follows(cls, data: object) -> object:
        """A user's spider decides what is followed, so links, sitemaps and feeds are off unless the file turns them on."""
        if not isinstance(data, dict) or data.get("spider", SITE_SPIDER) == SITE_SPIDER:
            return data
        scope = data.get("scope") or {}
        return {**data, "scope": {**OWN_SPIDER_SCOPE, **scope}} if isinstance(scope, dict) else data

    @model_validator(mode="after")
    def _one_secret_per_origin(self) -> Self:
        origins = [credential.origin for credential in self.credentials]
        if len(set(origins)) < len(origins):
            raise ValueError("'credentials' has an origin twice; one secret may hold several headers and cookies")
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
        """Whether a user's class decides what is fetched."""
        return self.spider != SITE_SPIDER

    def makes_articles(self) -> bool:
        """Whether `articles` is among its datasets."""
        return "articles" in self.datasets

    def hosts(self) -> tuple[str, ...]:
        """The hosts in scope, in lower case, with the port if one is given."""
        if self.scope.hosts:
            return tuple(host.lower() for host in self.scope.hosts)
        return tuple(dict.fromkeys(urlsplit(seed.url).netloc.lower() for seed in self.seeds))

    def secret_names(self) -> list[str]:
        """The sorted names of all secrets that fetching needs."""
        proxy = [self.network.proxy_secret] if self.network.proxy_secret else []
        return sorted({*(credential.secret for credential in self.credentials), *proxy})

    def max_run_time(self) -> timedelta:
        """How long a run may take."""
        return timedelta(minutes=self.budgets.max_minutes)
