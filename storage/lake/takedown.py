"""The takedown list: URLs that are never fetched again, and that readers do not see. One text object in the store, one entry on each line.

An entry is a URL (`https://example.com/story`), a prefix (`https://example.com/people/*`), or a host (`example.com`, `example.com:8080`;
`*.example.com` is the host with all its subdomains). An entry is valid for http and https, whichever it names. `#` begins a comment.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

import idna

from schemas.config.settings import Settings
from schemas.errors import ConfigError, NotFoundError
from schemas.keys import ERASURES_PREFIX, PENDING_ERASURES_PREFIX
from storage.objects.store import ObjectStore
from storage.urls.host_key import host_key, parse_host, without_port

KEY = "takedown.txt"
LOCK_KEY = 7_205_761  # arbitrary
LOCK_SECONDS = 30.0  # for another process that changes the list
COMMENT = re.compile(r"(?:^|\s)#.*$")
HOST_ENTRY = re.compile(r"(?:\*\.)?(?:\[[0-9A-Fa-f:.]+\]|[^\s/:?#*@\[\]]+)(?::\d{1,5})?\Z")


@dataclass(frozen=True, slots=True)
class Takedowns:
    """The parsed list. URLs and prefixes are stored as `host/path?query`, without the scheme."""

    urls: frozenset[str] = frozenset()
    prefixes: tuple[str, ...] = ()
    hosts: frozenset[str] = frozenset()
    domains: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.urls or self.prefixes or self.hosts or self.domains)

    def host_names(self) -> set[str]:
        """The hosts of all entries, without ports, in ASCII and in Unicode. A URL that contains none of them is not taken down."""
        named = [*self.hosts, *self.domains, *(address.partition("/")[0] for address in (*self.urls, *self.prefixes))]
        names = {without_port(host) for host in named}
        return names | {_in_unicode(name) for name in names if "xn--" in name}

    def covers(self, url: str) -> bool:
        """Whether a URL is taken down."""
        if not self:
            return False
        address = _address(url)
        host = address.partition("/")[0]
        name = without_port(host)
        return (
            bool(self.hosts & {host, name})
            or any(name == domain or name.endswith("." + domain) for domain in self.domains)
            or address in self.urls
            or address.startswith(self.prefixes)
        )


def read_takedowns(store: ObjectStore) -> Takedowns:
    """The current list; empty if there is none. Raises UnavailableError, StorageError, ConfigError for a line that is not an entry."""
    return parse_takedowns(list_takedowns(store))


def list_takedowns(store: ObjectStore) -> list[str]:
    """The entries, in their order."""
    return [entry for entry, _ in read_entries(store)]


def read_erased(store: ObjectStore) -> Takedowns:
    """The entries whose pages were erased, by the receipts, or are being erased. Raises UnavailableError, StorageError, ConfigError."""
    digests, entries = set[str](), list_takedowns(store)
    for info in store.list(ERASURES_PREFIX) if entries else ():
        named = json.loads(store.get_bytes(info.key))["entries"]
        digests.update(named if not info.key.startswith(PENDING_ERASURES_PREFIX) else map(_entry_digest, named))
    return parse_takedowns(entry for entry in entries if _entry_digest(entry) in digests)


def _entry_digest(entry: str) -> str:
    return hashlib.sha256(entry.encode()).hexdigest()


def read_entries(store: ObjectStore) -> list[tuple[str, str]]:
    """The entries, in their order, each with its comment."""
    lines = ((COMMENT.sub("", line).strip(), COMMENT.search(line)) for line in _read_text(store).splitlines())
    return [(entry, found.group().strip().lstrip("#").strip() if found else "") for entry, found in lines if entry]


def parse_takedowns(entries: Iterable[str]) -> Takedowns:
    """Parse entries. Raises ConfigError."""
    urls, prefixes, hosts, domains = set[str](), set[str](), set[str](), set[str]()
    for entry in entries:
        kind, text = _parse_entry(entry)
        {"url": urls, "prefix": prefixes, "host": hosts, "domain": domains}[kind].add(text)
    return Takedowns(frozenset(urls), tuple(sorted(prefixes)), frozenset(hosts), tuple(sorted(domains)))


def add_takedowns(settings: Settings, store: ObjectStore, entries: Sequence[str], reason: str = "") -> int:
    """Add entries, each with the reason as its comment; returns how many were new. Workers read the list again within a minute.

    Raises ConfigError, ConflictError.
    """
    comment = f"  # {' '.join(reason.split())}" if reason.strip() else ""
    for entry in entries:
        if _parse_entry(entry) == ("prefix", "/"):
            raise ConfigError(f"{entry!r} names no host, so it would cover nothing. Write https://HOST/*.")
    with _lock(settings):
        known = list_takedowns(store)
        new = [entry for entry in dict.fromkeys(entry.strip() for entry in entries) if entry not in known]
        if new:
            text = _read_text(store)
            text += "\n" if text and not text.endswith("\n") else ""
            store.put_bytes(KEY, (text + "".join(f"{entry}{comment}\n" for entry in new)).encode())
    return len(new)


def remove_takedown(settings: Settings, store: ObjectStore, entry: str) -> None:
    """Remove an entry, and others with the same meaning (`HTTP://a.example/x`, `https://a.example/x`): its URLs may be fetched again.

    Raises NotFoundError, ConflictError.
    """
    with _lock(settings):
        lines = _read_text(store).splitlines(keepends=True)
        meaning = _meaning(entry)
        remaining = [line for line in lines if _meaning(COMMENT.sub("", line.rstrip("\n"))) != meaning]
        if len(remaining) == len(lines):
            raise NotFoundError(f"{entry!r} is not in the takedown list. `crawlhouse takedown list` shows the entries.")
        store.put_bytes(KEY, "".join(remaining).encode())


def _meaning(text: str) -> tuple[str, str]:
    """What an entry covers; a text that is none is only itself."""
    try:
        return _parse_entry(text)
    except ConfigError:
        return "", text.strip()


def _lock(settings: Settings) -> AbstractContextManager[None]:
    from storage.database.locks import hold_lock  # readers of the list need no database

    return hold_lock(settings, LOCK_KEY, LOCK_SECONDS, "changing the takedown list")


def _read_text(store: ObjectStore) -> str:
    return store.get_bytes(KEY).decode("utf-8") if store.info(KEY) is not None else ""


def _parse_entry(entry: str) -> tuple[str, str]:
    """Kind (`url`, `prefix`, `host`, `domain`) and text of one entry. Raises ConfigError."""
    entry = entry.strip()
    if entry.lower().startswith(("http://", "https://")):
        if host_key(entry) and not re.search(r"\s", entry) and "*" not in entry.removesuffix("*"):
            return ("prefix", _address(entry[:-1])) if entry.endswith("*") else ("url", _address(entry))
    elif HOST_ENTRY.match(entry):
        host = _host(entry.removeprefix("*."))
        return ("domain", without_port(host)) if entry.startswith("*.") else ("host", host)
    raise ConfigError(
        f"{entry!r} cannot be taken down: an entry is a URL, a URL with * at its very end, a host like example.com, or *.example.com."
    )


def _address(url: str) -> str:
    """A URL for comparison: host, path and query, without scheme, default port and unnecessary escapes."""
    url = url.partition("#")[0]
    try:
        parts = urlsplit(url)
    except ValueError:  # a bad canonical URL of a page
        return url
    query = f"?{parts.query}" if parts.query else ""
    return host_key(url) + unquote(parts.path or "/") + unquote(query)


def _host(text: str) -> str:
    """A host as the frontier spells it. Raises ConfigError for a bad host name."""
    try:
        return parse_host(text)
    except ValueError as error:
        raise ConfigError(f"{text!r} is no host name: {error}.") from error


def _in_unicode(name: str) -> str:
    try:
        return idna.decode(name)
    except idna.IDNAError:
        return name
