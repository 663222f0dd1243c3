"""Where things are: the environment `CRAWLHOUSE_*`. The only home of secrets."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from schemas.errors import ConfigError, NotFoundError

PROJECT_MARK = "crawls"


class Settings(BaseSettings):
    """Where crawlhouse keeps things.

    `home` holds everything local. `store` is a directory or `s3://bucket/prefix`; `database` is a SQLAlchemy URL of PostgreSQL,
    or empty for SQLite files under the home. `crawls` is the folder of crawl files.
    """

    model_config = SettingsConfigDict(env_prefix="CRAWLHOUSE_", extra="ignore", frozen=True)

    home: Path = Field(default_factory=lambda: _project_root() / "var")
    store: str = ""
    database: str = ""
    crawls: Path = Field(default_factory=lambda: _project_root() / "crawls")
    s3_endpoint: str = ""
    s3_region: str = "us-east-1"

    def store_url(self) -> str:
        """The object store: `s3://bucket/prefix` or an absolute directory."""
        if self.store.startswith("s3://"):
            return self.store.rstrip("/")
        return str(Path(self.store).absolute() if self.store else self.home.absolute() / "store")

    def database_url(self, name: str) -> str:
        """The SQLAlchemy URL of one database: `frontier` (with the ledger) or `catalog`."""
        if self.database:
            return self.database.replace("postgresql://", "postgresql+psycopg://", 1)
        return f"sqlite:///{self.home.absolute() / (name + '.sqlite')}"


def _project_root() -> Path:
    here = Path.cwd()
    for folder in (here, *here.parents):
        if (folder / PROJECT_MARK).is_dir():
            return folder
    raise NotFoundError(
        f"No lake here: neither {here} nor a folder above it has a '{PROJECT_MARK}/'. "
        "Change to a crawlhouse project, or set CRAWLHOUSE_HOME and CRAWLHOUSE_CRAWLS."
    )


def load_settings() -> Settings:
    """The settings of this process, from its environment.

    Raises ConfigError for a malformed variable and NotFoundError outside a project.
    """
    try:
        return Settings()
    except ValidationError as error:
        first = error.errors()[0]
        name = "CRAWLHOUSE_" + str(first["loc"][0]).upper()
        raise ConfigError(f"{name} is not valid: {first['msg']}. Correct it in the environment.") from error
