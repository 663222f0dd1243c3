"""What docker-compose.yml runs first: it makes database users, tables, pools, the password of `admin` and the bucket, and checks the store.

It runs as `python -P -m crawlhouse.cluster_init`. Running it again changes nothing except passwords: that of `admin` is AIRFLOW_PASSWORD,
and those of the database users stand in their URLs.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from crawlhouse.actions.doctor import MACHINE, show_examination
from crawlhouse.airflow.database import make_schema
from crawlhouse.airflow.database_users import make_database_users
from crawlhouse.airflow.home import USER, write_private
from crawlhouse.airflow.pools import CLUSTER_SLOTS, make_pools
from crawlhouse.output.row_formats import ReportFormat
from runtime.command_line import module_command
from schemas.config.settings import Settings, load_settings
from schemas.credentials.redaction import redacted
from schemas.errors import ConfigError, CrawlhouseError, StorageError, UnavailableError

WAIT_FOR_WORKERS_SECONDS = 75.0  # the leases of a killed worker expire after 60 seconds


def initialise(settings: Settings) -> None:
    """Make what is missing. Raises ConfigError, UnavailableError, StorageError."""
    _write_password()
    make_users(settings)
    make_tables(settings)
    _airflow("db", "migrate")
    make_pools(CLUSTER_SLOTS)
    make_bucket(settings)
    check_store(settings)
    show_examination(settings, ReportFormat.TABLE, MACHINE)


def make_users(settings: Settings) -> None:
    """With POSTGRES_ADMIN_URL, make crawlhouse's and Airflow's database users; without it, only the schema `airflow`, as our own user.

    Raises ConfigError, UnavailableError, StorageError.
    """
    admin = os.environ.get("POSTGRES_ADMIN_URL", "")
    if admin:
        make_database_users(admin, settings.database, os.environ.get("AIRFLOW__DATABASE__SQL_ALCHEMY_CONN", ""))
    else:
        make_schema(settings)


def check_store(settings: Settings) -> None:
    """Write an object, read it back and remove it: a store that lists its buckets may still be unable to store anything.

    Raises UnavailableError, StorageError.
    """
    from storage.objects.open import open_store

    open_store(settings).check()
    print(f"{settings.store_url()} stores and returns objects.")


def make_tables(settings: Settings) -> None:
    """Make the tables of frontier and ledger, or upgrade those of an earlier release.

    Raises ConflictError for tables of a newer release and while workers hold hosts, UnavailableError, StorageError.
    """
    from crawlhouse.output.upgrade import describe_upgrade
    from storage.ledger.ledger import open_ledger
    from storage.upgrade import upgrade

    done = upgrade(settings, print, wait_seconds=WAIT_FOR_WORKERS_SECONDS)
    if done:
        print(*describe_upgrade(done, settings), sep="\n")
    open_ledger(settings).close()


def make_bucket(settings: Settings) -> None:
    """Make the bucket of CRAWLHOUSE_STORE if it is missing. Raises UnavailableError."""
    import boto3
    from botocore.exceptions import BotoCoreError, ClientError

    if not settings.store_url().startswith("s3://"):
        return
    bucket = settings.store_url().removeprefix("s3://").partition("/")[0]
    try:
        client = boto3.client("s3", endpoint_url=settings.s3_endpoint or None, region_name=settings.s3_region)
        if bucket not in {existing["Name"] for existing in client.list_buckets()["Buckets"]}:
            client.create_bucket(Bucket=bucket)
    except (BotoCoreError, ClientError) as error:
        raise UnavailableError(f"The bucket {bucket!r} cannot be made: {error}. Check CRAWLHOUSE_S3_ENDPOINT and its keys.") from error


def _write_password() -> None:
    password = os.environ.get("AIRFLOW_PASSWORD", "")
    path = os.environ.get("AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE", "")
    if not password or not path:
        raise ConfigError("AIRFLOW_PASSWORD and AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE must be set; see .env.example.")
    write_private(Path(path), json.dumps({USER: password}) + "\n")


def _airflow(*words: str) -> None:
    if subprocess.run(module_command("airflow", *words), check=False).returncode != 0:
        raise StorageError(f"`airflow {' '.join(words)}` failed; its own message is above.")


if __name__ == "__main__":
    try:
        initialise(load_settings())
    except CrawlhouseError as error:
        print(redacted(str(error)), file=sys.stderr)
        sys.exit(error.exit_code)
