"""Settings: where things are, from the environment `CRAWLHOUSE_*`.

Secrets come from the environment or from an Airflow connection, never from a file.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path
from urllib.parse import quote

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from schemas.credentials.database_url import parse_database_url
from schemas.errors import ConfigError, NotFoundError, StorageError

PREFIX = "CRAWLHOUSE_"
SECRET_PREFIX = "SECRET_"  # noqa: S105 the name of variables that hold some
PROJECT_MARK = "crawls"
HOME = "var"
DATASETS = "datasets"  # next to the crawl folder
MIN_FREE_BYTES = 512 * 1024 * 1024  # eight open segments of 64 MB
S3_BUCKET = re.compile(r"s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](/.*)?")
ENDPOINT = re.compile(r"https?://(\[[0-9A-Fa-f:.]+\]|[\w.-]+)(:\d{1,5})?(/[^?#@\s]*)?", re.IGNORECASE)
PRIVATE_FOLDER = 0o700


def project_root() -> Path:
    """The project's folder: the nearest one upward from the working directory with a `crawls/`. Raises NotFoundError."""
    here = Path.cwd()
    for folder in (here, *here.parents):
        if (folder / PROJECT_MARK).is_dir():
            return folder
    raise NotFoundError(
        f"No lake here: neither {here} nor a folder above it has a '{PROJECT_MARK}/'. "
        "Change to a crawlhouse project, make one with `crawlhouse init`, or set CRAWLHOUSE_HOME."
    )


def _default_crawls(data: Mapping[str, object]) -> Path:
    try:
        return project_root() / PROJECT_MARK
    except NotFoundError:
        home = data.get("home")
        if not isinstance(home, Path):
            raise
        return home.parent / PROJECT_MARK


class Settings(BaseModel):
    """Where crawlhouse stores things. All paths are absolute.

    `home` holds everything local. `store` is a directory or `s3://bucket/prefix`, empty for a directory in the home; `database` is a URL of
    PostgreSQL, or empty for SQLite files in the home. `crawls` is the folder of crawl files, and of the modules of spiders next to them;
    `spiders` is a further folder of such modules; `datasets` is the folder of dataset files, or empty for the one next to the crawl folder.
    `quota_bytes` is how much the archive may hold (0: any amount), `min_free_bytes` how much the disks of the home and of a store in a
    directory must have free: otherwise crawls stop. `queues`: whether Airflow's tasks go to the Celery queues `fetch`, `process` and
    `short`, which then need workers; otherwise all go to Airflow's default queue. A step waits for
    `store_wait_seconds` and `database_wait_seconds` if the store or the database does not answer, before it fails.
    """

    model_config = ConfigDict(extra="ignore", frozen=True, hide_input_in_errors=True, validate_default=True)

    home: Path = Field(default_factory=lambda: project_root() / HOME)
    store: str = ""
    database: str = Field(default="", repr=False)
    crawls: Path = Field(default_factory=_default_crawls)
    spiders: str = ""
    datasets: str = ""
    s3_endpoint: str = ""
    s3_region: str = "us-east-1"
    quota_bytes: int = Field(default=0, ge=0)
    min_free_bytes: int = Field(default=MIN_FREE_BYTES, ge=0)
    queues: bool = False
    store_wait_seconds: float = Field(default=300.0, ge=0)
    database_wait_seconds: float = Field(default=60.0, ge=0)

    @model_validator(mode="before")
    @classmethod
    def _of_environment(cls, given: dict[str, object]) -> dict[str, object]:
        """What is not given is taken from the environment; there an empty value is none. Pydantic's own settings take long to import."""
        found = {name.lower(): value for name, value in os.environ.items() if value}
        named = {name: found[f"{PREFIX}{name}".lower()] for name in cls.model_fields if f"{PREFIX}{name}".lower() in found}
        return named | given

    @field_validator("home", "crawls")
    @classmethod
    def _absolute(cls, path: Path) -> Path:
        return Path(path).expanduser().absolute()

    @field_validator("spiders", "datasets")
    @classmethod
    def _folder(cls, folder: str) -> str:
        return str(Path(folder).expanduser().absolute()) if folder else ""

    @field_validator("store")
    @classmethod
    def _store(cls, store: str) -> str:
        if store.startswith("s3:"):
            if not S3_BUCKET.fullmatch(store):
                raise ValueError("an S3 store is s3://BUCKET or s3://BUCKET/PREFIX, the bucket in lower case")
            return store.rstrip("/")
        if "://" in store:
            raise ValueError("a store is a directory, or s3://BUCKET/PREFIX (for another server than AWS with CRAWLHOUSE_S3_ENDPOINT)")
        return str(Path(store).expanduser().absolute()) if store else ""

    @field_validator("database")
    @classmethod
    def _database(cls, database: str) -> str:
        return parse_database_url(database).text() if database else ""

    @field_validator("s3_endpoint")
    @classmethod
    def _endpoint(cls, endpoint: str) -> str:
        if endpoint and not ENDPOINT.fullmatch(endpoint):
            raise ValueError(
                "an endpoint is an http or https URL, like http://127.0.0.1:8333, without a user and parameters; "
                "keys come from AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
            )
        return endpoint

    def store_url(self) -> str:
        """The object store: `s3://bucket/prefix` or an absolute directory."""
        return self.store or str(self.home / "store")

    def datasets_folder(self) -> Path:
        """Where the files of the user's own datasets are, if there are any."""
        return Path(self.datasets) if self.datasets else self.crawls.parent / DATASETS

    def module_folders(self) -> list[Path]:
        """Where the user's own modules are, with spiders and functions, besides installed packages.

        A folder that Scrapy made, with `scrapy.cfg`, is one of them if the crawls' folder lies in it.
        """
        project = self.crawls.absolute().parent
        more = [project] if (project / "scrapy.cfg").is_file() else []
        return [self.crawls, *([Path(self.spiders)] if self.spiders else []), *more]

    def database_url(self, name: str) -> str:
        """The SQLAlchemy URL of one database: `frontier` (which has the ledger too) or `catalog`."""
        if self.database:
            return parse_database_url(self.database).text("postgresql+psycopg")
        return sqlite_url(self.database_file(name))

    def database_file(self, name: str) -> Path:
        """The SQLite file of one database, if there is no database server."""
        return self.home / f"{name}.sqlite"

    def redacted_database(self) -> str:
        """The database for people: without its password and the values of its parameters."""
        return parse_database_url(self.database).redacted() if self.database else f"SQLite files in {self.home}"


def sqlite_url(path: Path) -> str:
    """The SQLAlchemy URL of a SQLite file, whatever characters its path has."""
    return f"sqlite:///{quote(str(path))}"


def load_settings() -> Settings:
    """Read the settings of this process from its environment.

    Raises ConfigError for a malformed or misspelt variable and NotFoundError outside a project.
    """
    _check_spelling(os.environ)
    return make_settings()


def make_settings(home: str | Path | None = None, store: str | Path | None = None, database: str | None = None) -> Settings:
    """Read the settings from the environment; what is given here replaces a setting. Raises ConfigError, NotFoundError."""
    given = {"home": home, "store": None if store is None else str(store), "database": database}
    try:
        return Settings(**{name: value for name, value in given.items() if value is not None})
    except ValidationError as error:
        # pydantic also reports defaults that depend on a wrong setting: these are not mistakes of the user
        problems = [item for item in error.errors() if item["type"] != "default_factory_not_called"]
        raise ConfigError("\n".join(_problem(item["loc"], item["msg"]) for item in problems)) from error


def make_home(settings: Settings) -> None:
    """Make the home's folder if it is missing, private to its user. Raises StorageError when it cannot be made or written to."""
    try:
        make_private_folder(settings.home)
    except OSError as error:
        raise StorageError(f"The home {settings.home} cannot be made: {error.strerror}. Set CRAWLHOUSE_HOME elsewhere.") from error
    if not os.access(settings.home, os.W_OK | os.X_OK):
        raise StorageError(f"The home {settings.home} cannot be written. Correct its owner or mode, or set CRAWLHOUSE_HOME elsewhere.")


def make_private_folder(folder: Path) -> None:
    """Make a folder that only its user can open, whatever the umask. A folder that is there is not changed. Raises OSError."""
    if folder.is_dir():
        return
    folder.parent.mkdir(parents=True, exist_ok=True)
    try:
        folder.mkdir(PRIVATE_FOLDER)
    except FileExistsError:
        if not folder.is_dir():
            raise
        return  # another process made it just now
    folder.chmod(PRIVATE_FOLDER)


def _problem(location: tuple[int | str, ...], message: str) -> str:
    return f"{PREFIX}{str(location[0]).upper()} is not valid: {message.removeprefix('Value error, ')}. Correct it in the environment."


def _check_spelling(environment: Mapping[str, str]) -> None:
    known = [name.upper() for name in Settings.model_fields]
    for name in environment:
        own_name = name.removeprefix(PREFIX)
        near = get_close_matches(own_name, known, n=1, cutoff=0.8)
        if own_name != name and own_name not in known and near and not own_name.startswith(SECRET_PREFIX):
            raise ConfigError(f"{name} is not a setting; did you mean {PREFIX}{near[0]}? Correct it in the environment.")
