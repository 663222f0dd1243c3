"""Reads headers and cookies from secrets in the environment, each for one origin. They never reach the archive, the database or a log."""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from pydantic import BaseModel, ConfigDict, ValidationError

from schemas.config.crawl import Crawl
from schemas.config.settings import PREFIX, SECRET_PREFIX
from schemas.errors import ConfigError
from storage.urls.host_key import canonical_origin, origin

HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
HEADER_VALUE = re.compile(r"[\x20-\x7e\x80-\uffff]*")
COOKIE_VALUE = re.compile(r"[\x21-\x3a\x3c-\x7e]*")
RESERVED_HEADERS = frozenset({"host", "connection", "content-length", "transfer-encoding", "user-agent", "accept-encoding", "cookie"})


class _Secret(BaseModel):
    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    headers: dict[str, str] = {}
    cookies: dict[str, str] = {}
    user: str = ""
    password: str = ""


@dataclass(frozen=True, slots=True)
class Login:
    """A user and a password, for a proxy."""

    user: str
    password: str = field(repr=False)


class Credentials:
    """The secret headers of each origin. `proxy` is the login of the crawl's proxy, if it has one."""

    def __init__(self, headers: Mapping[str, Mapping[str, str]], proxy: Login | None = None) -> None:
        self._headers = headers
        self.proxy = proxy

    @property
    def names(self) -> frozenset[bytes]:
        """The names of all headers that hold secrets, lower case."""
        return frozenset(name.lower().encode() for headers in self._headers.values() for name in headers)

    def headers(self, url: str) -> Mapping[str, str]:
        """The secret headers for a canonical URL: those of its scheme, host and port."""
        return self._headers.get(canonical_origin(url), {}) if self._headers else {}


def read_credentials(crawl: Crawl, environment: Mapping[str, str]) -> Credentials:
    """The credentials that a crawl names. Raises ConfigError for a secret that is missing or malformed. The message never shows it."""
    proxy = crawl.network.proxy_secret
    headers = {origin(secret.origin): _headers(secret.secret, environment) for secret in crawl.credentials}
    return Credentials(headers, _login(proxy, environment) if proxy else None)


def secret_variable(secret: str) -> str:
    """The environment variable that holds a secret."""
    return f"{PREFIX}{SECRET_PREFIX}{secret.upper()}"


def _headers(name: str, environment: Mapping[str, str]) -> dict[str, str]:
    variable = secret_variable(name)
    text = environment.get(variable)
    if not text:
        raise ConfigError(
            f"The secret {name!r} is missing. Set {variable} in the environment to JSON like "
            '{"headers": {"Authorization": "Bearer ..."}, "cookies": {"session": "..."}} or {"user": "...", "password": "..."}, '
            "or under Airflow make a connection of that name."
        )
    try:
        secret = _Secret.model_validate_json(text)
    except ValidationError as error:
        where = ", ".join(".".join(str(part) for part in item["loc"]) or "the text" for item in error.errors(include_input=False))
        raise ConfigError(
            f'{variable} is not {{"headers": {{...}}, "cookies": {{...}}, "user": ..., "password": ...}} with texts in it: look at {where}.'
        ) from None
    headers = {**_basic(secret), **secret.headers}
    for header, value in headers.items():
        if not HEADER_NAME.fullmatch(header) or header.lower() in RESERVED_HEADERS or not HEADER_VALUE.fullmatch(value):
            raise ConfigError(f"{variable}: the header {header[:40]!r} cannot be sent. Cookies belong under 'cookies'.")
    for cookie, value in secret.cookies.items():
        if not HEADER_NAME.fullmatch(cookie) or not COOKIE_VALUE.fullmatch(value):
            raise ConfigError(f"{variable}: the cookie {cookie[:40]!r} has characters that are not allowed in a cookie.")
    pairs = "; ".join(f"{cookie}={value}" for cookie, value in secret.cookies.items())
    return {**headers, **({"Cookie": pairs} if pairs else {})}


def _basic(secret: _Secret) -> dict[str, str]:
    """The header for a user and a password."""
    login = base64.b64encode(f"{secret.user}:{secret.password}".encode()).decode()
    return {"Authorization": f"Basic {login}"} if secret.user or secret.password else {}


def _login(name: str, environment: Mapping[str, str]) -> Login:
    """The login of a proxy: the user and the password in a secret. Airflow's connections hold them as a header."""
    scheme, _, text = _headers(name, environment).get("Authorization", "").partition(" ")
    try:
        user, colon, password = base64.b64decode(text, validate=True).decode().partition(":")
    except ValueError:
        colon = ""
    if scheme.lower() != "basic" or not colon:
        raise ConfigError(f'{secret_variable(name)} holds no login for a proxy. Set it to {{"user": "...", "password": "..."}}.')
    return Login(user, password)
