"""Hides secrets in text for people: the secrets of the environment, and what looks like a password."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from urllib.parse import quote, unquote

from schemas.credentials.database_url import HIDDEN, SCHEME, parse_database_url

URL_LOGIN = re.compile(
    r"([A-Za-z][\w+.-]*://[^\s/:@\"'<>]*):(?!PASSWORD@|\d{1,5}[/?#])[^\s\"'<>]*@"
)  # a port and a path that contains @ are not a login
NAMED_PASSWORD = re.compile(r"(?i)\b((?:pg|ssl)?passw(?:or)?d=)[^\s&\"',;)]+")
SECRET_VARIABLES = frozenset({"AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "PGPASSWORD", "AIRFLOW_PASSWORD", "POSTGRES_PASSWORD"})
SECRET_ENDINGS = ("__FERNET_KEY", "__SECRET_KEY", "__JWT_SECRET")
OUR_SECRETS = "CRAWLHOUSE_SECRET_"
MIN_LENGTH = 6  # characters of a secret of the environment; a shorter value occurs inside too many words
MIN_GIVEN_LENGTH = 3  # characters of a secret that a caller names: it is surely a secret, but 1 or 2 characters would hide everything
PLAIN_WORDS = frozenset({"crawlhouse", "postgres", "postgresql", "airflow", "password", "secret", "localhost"})


def redacted(text: str, secrets: Iterable[str] = ()) -> str:
    """A text without passwords: those in URLs, those after `password=`, the given ones, and those of this process' environment.

    A short value of the environment, or an ordinary word, is hidden only in the position of a password.
    """
    text = NAMED_PASSWORD.sub(rf"\1{HIDDEN}", URL_LOGIN.sub(rf"\1:{HIDDEN}@", text))
    known = {value for value in environment_secrets(os.environ) if len(value) >= MIN_LENGTH and value.lower() not in PLAIN_WORDS}
    given = {value for value in secrets if len(value) >= MIN_GIVEN_LENGTH}
    for value in sorted(given | known, key=len, reverse=True):
        for spelling in {value, quote(value, safe=""), quote(value)}:
            text = text.replace(spelling, HIDDEN)
    return text


def redacted_url(url: str) -> str:
    """A server's URL for people: without the password before its host and without the values of its query."""
    head, question, query = url.partition("?")
    names = "&".join(f"{part.partition('=')[0]}={HIDDEN}" for part in query.split("&") if part)
    return URL_LOGIN.sub(rf"\1:{HIDDEN}@", head) + (question and f"?{names}")


def url_password(url: str) -> str | None:
    """The password before a URL's host, decoded. None if there is none."""
    login, at, _ = re.split(r"[/?#]", url.partition("://")[2], maxsplit=1)[0].rpartition("@")
    _, colon, password = login.partition(":")
    return unquote(password) if at and colon else None


def environment_secrets(environment: Mapping[str, str]) -> Iterator[str]:
    """The secrets of an environment: passwords in URLs, S3 keys, and the values of CRAWLHOUSE_SECRET_*."""
    for name, value in environment.items():
        if not value:
            continue
        if name in SECRET_VARIABLES or name.endswith(SECRET_ENDINGS):
            yield value
        elif name.startswith(OUR_SECRETS):
            yield from _texts(value)
        elif SCHEME.match(value):
            yield from _database_secrets(value)
        elif "://" in value and (password := url_password(value)):
            yield password


def _texts(value: str) -> Iterator[str]:
    """The texts in a secret's JSON. A secret that is not JSON is one text."""
    try:
        pending = [json.loads(value)]
    except ValueError:
        pending = [value]
    while pending:
        item = pending.pop()
        if isinstance(item, str):
            yield item
        elif isinstance(item, dict | list):
            pending.extend(item.values() if isinstance(item, dict) else item)


def _database_secrets(url: str) -> tuple[str, ...]:
    try:
        return parse_database_url(url).secrets()
    except ValueError:
        return (url,)
