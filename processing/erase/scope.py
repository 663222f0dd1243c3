"""Which URLs are erased, and texts without them."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from functools import cached_property
from typing import Any
from urllib.parse import unquote

import pyarrow as pa
import pyarrow.compute as pc

from storage.frontier.admin.erasing import ERASED_HOST, ErasedText
from storage.lake.takedown import parse_takedowns

REPLACEMENT = f"https://{ERASED_HOST}/"
# Values of a row in brackets behind its URL, as failed expectations show them; in a line of JSON their quotes are escaped once more.
_QUOTED = r"\"(?:[^\"\\\n]|\\.)*\""
_QUOTED_IN_JSON = r"\\\"(?:[^\"\\\n]|\\u|\\\\(?:\\[\"\\]|[^\"\\\n]))*\\\""
_VALUES = rf"(?P<values>(?<![.,;:!?)\]*]) \((?:{_QUOTED_IN_JSON}|{_QUOTED}|[^()\"\\\n])*\))?"
_URL = re.compile(rf"(?P<url>https?://[^\s\"'<>\\^`{{|}}]+){_VALUES}", re.IGNORECASE)
_QUOTED_URL = re.compile(r"https?%3A%2F%2F[^\s\"'<>&\\]+", re.IGNORECASE)
_CLOSING = ".,;:!?)]*"  # behind a URL in a sentence


class Scope:
    """What takedown entries cover: URLs, prefixes, hosts."""

    def __init__(self, entries: Sequence[str]) -> None:
        """Raises ConfigError for what is no entry."""
        self.entries = tuple(dict.fromkeys(entry.strip() for entry in entries))
        self._takedowns = parse_takedowns(self.entries)
        self.names = frozenset(name.lower() for name in self._takedowns.host_names())
        self._near = re.compile("|".join(map(re.escape, sorted(self.names))), re.IGNORECASE)

    def covers(self, url: str | None) -> bool:
        """Whether a URL is erased."""
        return url is not None and self.is_near(url) and self._takedowns.covers(url)

    def is_near(self, text: str) -> bool:
        """Whether a text has the name of a host in it. One that has none mentions no URL."""
        return self._near.search(text) is not None

    def mentions(self, text: str) -> bool:
        """Whether a URL, or a host, that is erased is in a text."""
        return self.is_near(text) and self.text(text) != text

    def text(self, text: str) -> str:
        """A text without these URLs, and without the names of hosts all of whose pages are erased."""
        if not self.is_near(text):
            return text
        text = _QUOTED_URL.sub(lambda found: self._without(found[0]), _URL.sub(self._replaced, text))
        return text if self._hosts is None else self._hosts.sub(ERASED_HOST, text)

    def value(self, value: Any) -> Any:  # Any: JSON
        """A JSON value without them, in keys too."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, list):
            return [self.value(one) for one in value]
        if isinstance(value, dict):
            return self._mapping(value)
        return value

    def json_text(self, text: str) -> str:
        """A text without them that is perhaps JSON; the same text if there are none."""
        if not self.is_near(text):
            return text
        try:
            value = json.loads(text)
        except ValueError:
            return self.text(text)
        cleaned = self.value(value)
        return text if cleaned == value else json.dumps(cleaned, sort_keys=True)

    def covered(self, column: pa.ChunkedArray | pa.Array) -> pa.Array:
        """Which values of a column of URLs are erased; a NULL is not."""
        texts = column.cast(pa.string())
        texts = texts.combine_chunks() if isinstance(texts, pa.ChunkedArray) else texts
        near = [url for url in pc.unique(texts).to_pylist() if self.covers(url)]
        return pc.fill_null(pc.is_in(texts, value_set=pa.array(near, pa.string())), False)

    def erased_text(self) -> ErasedText:
        """The same for the database."""
        return ErasedText(self.names, self.covers, self.json_text)

    @cached_property
    def _hosts(self) -> re.Pattern[str] | None:
        """The names of whole hosts. A name without a dot and a port may be any word, so it stays in texts."""
        domains = [f"(?:[\\w-]+\\.)*{re.escape(name)}(?::\\d+)?" for name in self._takedowns.domains if "." in name]
        hosts = [re.escape(host) + ("" if ":" in host else "(?::\\d+)?") for host in self._takedowns.hosts if "." in host or ":" in host]
        return re.compile(rf"(?<![\w.-])(?:{'|'.join(hosts + domains)})(?![\w-]|\.\w)", re.IGNORECASE) if hosts or domains else None

    def _replaced(self, found: re.Match[str]) -> str:
        url, values = found["url"], found["values"] or ""
        kept = self._without(url)
        return kept + _URL.sub(self._replaced, values) if kept == url else kept

    def _without(self, token: str) -> str:
        """A URL, with what stands behind it in a sentence; another one in its place if it is erased."""
        bare = token.rstrip(_CLOSING)
        for one in (bare, token):
            if self.covers(one) or self.covers(unquote(one)):
                return REPLACEMENT + token[len(one) :]
        return token

    def _mapping(self, value: dict[str, Any]) -> dict[str, Any]:
        """Keys that become equal get a number. The values of a row go with its URL."""
        if isinstance(value.get("values"), str) and isinstance(value.get("url"), str) and self.covers(value["url"]):
            value = {**value, "values": ""}
        made: dict[str, Any] = {}
        for key, one in value.items():
            name = new = self.text(key)
            number = 1
            while new in made:
                number += 1
                new = f"{name}-{number}"
            made[new] = self.value(one)
        return made
