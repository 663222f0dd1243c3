"""The URL of a PostgreSQL database: parsed here only, and written for people without its secrets."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from urllib.parse import quote, unquote, urlencode

SCHEME = re.compile(r"postgres(ql)?(\+psycopg)?://")
HOST_AND_PORT = re.compile(r"(?P<host>\[[0-9A-Fa-f:.%]+\]|[\w.-]*)(?::(?P<port>\d{1,5}))?")
PARAMETER = re.compile(r"[a-z_]+")
HIDDEN = "***"
MAX_PORT = 65_535
# These values may appear in messages of the driver; every other parameter of the URL could be a secret.
PLAIN_PARAMETERS = frozenset(
    {"application_name", "channel_binding", "connect_timeout", "dbname", "gssencmode", "host", "hostaddr", "load_balance_hosts", "port"}
    | {"sslcert", "sslmode", "sslrootcert", "target_session_attrs", "user"}
)
ENCODE = "a password with @ : / ? # % or a space has them percent-encoded, like %40 for @"


@dataclass(frozen=True, slots=True)
class DatabaseUrl:
    """A PostgreSQL database. `host` is empty if the parameter `host` is given. `parameters` are libpq's, with their values."""

    user: str | None
    password: str | None = field(repr=False)
    host: str
    port: int | None
    name: str
    parameters: tuple[tuple[str, str], ...] = field(default=(), repr=False)

    def text(self, scheme: str = "postgresql") -> str:
        """The whole URL, with its password, every part percent-encoded."""
        query = urlencode(self.parameters, quote_via=quote)
        return f"{scheme}://{self._user(self.password)}{self._address()}{f'?{query}' if query else ''}"

    def redacted(self) -> str:
        """The URL for people: without the password, and with only the names of the parameters."""
        names = "&".join(f"{name}={HIDDEN}" for name, _ in self.parameters)
        return f"postgresql://{self._user(self.password and HIDDEN)}{self._address()}{f'?{names}' if names else ''}"

    def secrets(self) -> tuple[str, ...]:
        """What no message may contain: the password and the values of parameters, unless the user, host or name has the same text."""
        values = [value for name, value in self.parameters if name not in PLAIN_PARAMETERS]
        public = {None, "", self.user, self.host, self.name}
        return tuple(value for value in (self.password, *values) if value is not None and value not in public)

    def _user(self, password: str | None) -> str:
        if self.user is None and password is None:
            return ""
        hidden = password if password in {None, HIDDEN} else quote(str(password), safe="")
        return quote(self.user or "", safe="") + ("" if hidden is None else f":{hidden}") + "@"

    def _address(self) -> str:
        port = "" if self.port is None else f":{self.port}"
        return f"{self.host}{port}/{quote(self.name, safe='')}"


def parse_database_url(text: str) -> DatabaseUrl:
    """The parts of `postgresql://USER:PASSWORD@HOST:PORT/NAME?PARAMETERS`.

    If there are several `@` before the first `/`, the last one ends the password. Raises ValueError if the parts are ambiguous. Its
    message repeats nothing of the text.
    """
    scheme = SCHEME.match(text)
    if scheme is None:
        raise ValueError("a database is postgresql://USER:PASSWORD@HOST/NAME, or nothing for SQLite files in the home")
    if any(character.isspace() or not character.isprintable() for character in text):
        raise ValueError(f"a database's URL has no spaces or control characters; {ENCODE}")
    authority, name, query = _split(text[scheme.end() :])
    login, at, host_and_port = authority.rpartition("@")
    address = HOST_AND_PORT.fullmatch(host_and_port)
    if address is None or int(address["port"] or 0) > MAX_PORT:
        raise ValueError(f"what follows the password in a database's URL is HOST or HOST:PORT, the port a number; {ENCODE}")
    user, colon, password = login.partition(":")
    parameters = [_parameter(part) for part in query.split("&") if part]
    named = dict(
        parameters
    )  # a login in the parameters has precedence; it is moved before the host, where other libraries know how to hide it
    return DatabaseUrl(
        user=named.get("user", unquote(user) if at else None),
        password=named.get("password", unquote(password) if colon else None),
        host=address["host"],
        port=int(address["port"]) if address["port"] else None,
        name=unquote(name),
        parameters=tuple((name, value) for name, value in parameters if name not in {"user", "password"}),
    )


def _split(rest: str) -> tuple[str, str, str]:
    """Authority, path and query. Raises ValueError if the text looks as if a password were cut in two."""
    before, _, query = rest.partition("?")
    authority, _, name = before.partition("/")
    if "#" in rest or "@" in name or "/" in name or "@" in query:
        raise ValueError(f"a database's URL has an unexpected @ / or # after its host; {ENCODE}")
    return authority, name, query


def _parameter(part: str) -> tuple[str, str]:
    name, equals, value = part.partition("=")
    if not equals or not PARAMETER.fullmatch(name):
        raise ValueError(f"the parameters of a database's URL are NAME=VALUE, joined by &; {ENCODE}")
    return name, unquote(value.replace("+", " "))
