"""Two users of one PostgreSQL database: crawlhouse's own, with frontier, ledger and catalog, and Airflow's, with the schema `airflow`.

Neither can read the other's tables. What an earlier release made as the administrator gets its new owner here.
"""

from __future__ import annotations

from typing import Any

from schemas.credentials.database_url import DatabaseUrl, parse_database_url
from schemas.credentials.redaction import redacted
from schemas.errors import ConfigError, StorageError, UnavailableError

CONNECT_SECONDS = 10  # as everywhere else
LAKE_SCHEMA, AIRFLOW_SCHEMA = "public", "airflow"
RELATIONS = """
    SELECT c.relname, c.relkind FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname = %s AND c.relkind IN ('r', 'p', 'v', 'm', 'S') AND pg_get_userbyid(c.relowner) <> %s
    AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = c.oid AND d.deptype IN ('a', 'i') AND d.classid = 'pg_class'::regclass)
    ORDER BY c.relkind = 'S', c.oid"""  # a sequence that belongs to a column has its table's owner
TYPES = """
    SELECT t.typname FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace
    WHERE n.nspname = %s AND t.typtype IN ('e', 'd') AND pg_get_userbyid(t.typowner) <> %s ORDER BY t.oid"""
KINDS = {"r": "TABLE", "p": "TABLE", "v": "VIEW", "m": "MATERIALIZED VIEW", "S": "SEQUENCE"}


def make_database_users(admin: str, lake: str, airflow: str) -> None:
    """Make both users with the passwords of their URLs, and give each its schema with all that is in it. May be called again.

    All three are URLs of the same database; `admin`'s user may make users. Raises ConfigError, UnavailableError, StorageError.
    """
    import psycopg

    server, users = _parsed(admin), {LAKE_SCHEMA: _parsed(lake), AIRFLOW_SCHEMA: _parsed(airflow)}
    _check(server, users)
    secrets = {secret for url in (server, *users.values()) for secret in url.secrets()}
    try:
        with psycopg.connect(server.text(), connect_timeout=CONNECT_SECONDS) as connection:
            for schema, url in users.items():
                _make_user(connection, url)
                _give(connection, schema, str(url.user))
    except psycopg.OperationalError as error:
        raise UnavailableError(
            f"The database {server.redacted()} of POSTGRES_ADMIN_URL does not answer: {_line(error, secrets)}."
        ) from error
    except psycopg.Error as error:
        raise StorageError(f"The users of {server.redacted()} cannot be made: {_line(error, secrets)}.") from error


def _parsed(url: str) -> DatabaseUrl:
    try:
        return parse_database_url(url)
    except ValueError as error:
        raise ConfigError(f"The URL of a database cannot be read: {error}.") from error


def _check(server: DatabaseUrl, users: dict[str, DatabaseUrl]) -> None:
    names = [url.user for url in (server, *users.values())]
    if None in names or len(set(names)) < len(names):
        given = ", ".join(map(str, names))
        raise ConfigError(f"POSTGRES_ADMIN_URL, CRAWLHOUSE_DATABASE and Airflow's database need a user each. They have {given}.")
    if any(url.name != server.name for url in users.values()):
        raise ConfigError("POSTGRES_ADMIN_URL, CRAWLHOUSE_DATABASE and Airflow's database must name the same database.")


def _make_user(connection: Any, url: DatabaseUrl) -> None:  # Any: psycopg's connection, whose type has parameters of no use here
    from psycopg import sql

    user = sql.Identifier(str(url.user))
    if connection.execute("SELECT FROM pg_roles WHERE rolname = %s", [url.user]).fetchone() is None:
        connection.execute(sql.SQL("CREATE ROLE {}").format(user))
    connection.execute(sql.SQL("ALTER ROLE {} LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE").format(user))
    if url.password is not None:  # hashed here, so that no log of the server has it
        hashed = connection.pgconn.encrypt_password(url.password.encode(), str(url.user).encode(), b"scram-sha-256").decode()
        connection.execute(sql.SQL("ALTER ROLE {} PASSWORD {}").format(user, sql.Literal(hashed)))


def _give(connection: Any, schema: str, user: str) -> None:
    """Make a user the owner of a schema, which is made if it is missing, and of everything in it."""
    from psycopg import sql

    names = {"schema": sql.Identifier(schema), "user": sql.Identifier(user)}
    connection.execute(sql.SQL("CREATE SCHEMA IF NOT EXISTS {schema}").format(**names))
    connection.execute(sql.SQL("ALTER SCHEMA {schema} OWNER TO {user}").format(**names))
    for name, kind in connection.execute(RELATIONS, [schema, user]).fetchall():
        what = sql.SQL(KINDS[kind if isinstance(kind, str) else kind.decode()])
        connection.execute(sql.SQL("ALTER {what} {schema}.{name} OWNER TO {user}").format(what=what, name=sql.Identifier(name), **names))
    for (name,) in connection.execute(TYPES, [schema, user]).fetchall():
        connection.execute(sql.SQL("ALTER TYPE {schema}.{name} OWNER TO {user}").format(name=sql.Identifier(name), **names))


def _line(error: Exception, secrets: set[str]) -> str:
    return redacted((str(error).strip().splitlines() or [type(error).__name__])[0], secrets).rstrip(".")
