"""The types of a dataset's fields: `string`, `decimal(12,2)`, `list<string>`, `struct<name: string, price: decimal(12,2)>` and so on.

They are a part of Iceberg's types that Arrow, DuckDB and Spark read alike: a whole number has 64 bits, a `float` 64 bits, a timestamp
microseconds and UTC. `json` is a text that holds JSON.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

MAX_TYPE_CHARACTERS = 2_000
MAX_TYPE_DEPTH = 5  # readers of Parquet show deeper ones badly
MAX_MEMBERS = 100  # of a struct
MAX_PRECISION = 38  # digits of Iceberg's decimal
_TOKEN = re.compile(r"\s*([A-Za-z_][A-Za-z0-9_]*|\d+|[<>(),:])")
_MEMBER = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,62}")


class Kind(StrEnum):
    """The kinds of types."""

    STRING = "string"
    INTEGER = "integer"
    DECIMAL = "decimal"
    FLOAT = "float"
    BOOLEAN = "boolean"
    DATE = "date"
    TIMESTAMP = "timestamp"
    LIST = "list"
    STRUCT = "struct"
    JSON = "json"


@dataclass(frozen=True, slots=True)
class FieldType:
    """A type. `precision` and `scale` (digits in all, digits after the point) are a decimal's, `element` a list's, `members` a struct's."""

    kind: Kind
    precision: int = 0
    scale: int = 0
    element: FieldType | None = None
    members: tuple[tuple[str, FieldType], ...] = ()

    def __str__(self) -> str:
        """The type as it is written in YAML."""
        if self.kind is Kind.DECIMAL:
            return f"decimal({self.precision},{self.scale})"
        if self.element is not None:
            return f"list<{self.element}>"
        if self.members:
            return f"struct<{', '.join(f'{name}: {member}' for name, member in self.members)}>"
        return str(self.kind)


@lru_cache(maxsize=1_000)
def parse_type(text: str) -> FieldType:
    """The type that a text names. Raises ValueError, which says what is allowed."""
    if len(text) > MAX_TYPE_CHARACTERS:
        raise ValueError(f"a type of {len(text):,} characters; at most {MAX_TYPE_CHARACTERS:,} are allowed. Use json for what is large")
    parser = _Parser(_tokens(text), text)
    parsed = parser.type(1)
    parser.end()
    return parsed


def widens_to(old: FieldType, new: FieldType) -> bool:
    """Whether a column of the old type may become one of the new type in place, its stored values unread.

    As Iceberg allows it: a decimal may get more digits before the point, a struct more members, a list either of these in its elements.
    """
    if old.kind is not new.kind:
        return False
    if old.kind is Kind.DECIMAL:
        return new.scale == old.scale and new.precision >= old.precision
    if old.element is not None and new.element is not None:
        return widens_to(old.element, new.element)
    members = dict(new.members)
    return all(name in members and widens_to(member, members[name]) for name, member in old.members)


def storage_type(kind: FieldType) -> FieldType:
    """The type as a table holds it: JSON is a text there."""
    if kind.kind is Kind.JSON:
        return FieldType(Kind.STRING)
    if kind.element is not None:
        return FieldType(kind.kind, element=storage_type(kind.element))
    if kind.members:
        return FieldType(kind.kind, members=tuple((name, storage_type(member)) for name, member in kind.members))
    return kind


class _Parser:
    """A recursive descent over the tokens of one type."""

    def __init__(self, tokens: list[str], text: str) -> None:
        self._tokens, self._text, self._position = tokens, text, 0

    def type(self, depth: int) -> FieldType:
        """The type that begins here."""
        if depth > MAX_TYPE_DEPTH:
            raise ValueError(f"{self._text!r} is nested more than {MAX_TYPE_DEPTH} levels deep; use json for what is inside")
        name = self._next()
        if name not in set(Kind):
            raise ValueError(f"{name!r} is not a type; allowed are {_allowed()}")
        kind = Kind(name)
        if kind is Kind.DECIMAL:
            return self._decimal()
        if kind is Kind.LIST:
            self._expect("<")
            element = self.type(depth + 1)
            self._expect(">")
            return FieldType(kind, element=element)
        return FieldType(kind, members=self._members(depth)) if kind is Kind.STRUCT else FieldType(kind)

    def end(self) -> None:
        """See that nothing follows."""
        if self._position < len(self._tokens):
            raise ValueError(f"{self._text!r} has {self._tokens[self._position]!r} after the type; remove it")

    def _decimal(self) -> FieldType:
        self._expect("(")
        precision = self._number()
        self._expect(",")
        scale = self._number()
        self._expect(")")
        if not 1 <= precision <= MAX_PRECISION or scale > precision:
            raise ValueError(f"decimal({precision},{scale}): digits in all are 1 to {MAX_PRECISION}, those after the point at most as many")
        return FieldType(Kind.DECIMAL, precision, scale)

    def _members(self, depth: int) -> tuple[tuple[str, FieldType], ...]:
        members: dict[str, FieldType] = {}
        self._expect("<")
        while True:
            name = self._next()
            if not _MEMBER.fullmatch(name) or name in members or len(members) == MAX_MEMBERS:
                raise ValueError(
                    f"{name!r} cannot name a member here: a struct has at most {MAX_MEMBERS} names of letters, digits and _, each once"
                )
            self._expect(":")
            members[name] = self.type(depth + 1)
            if self._next_is(">"):
                return tuple(members.items())
            self._expect(",")

    def _number(self) -> int:
        token = self._next()
        if not token.isdigit() or len(token) > 3:
            raise ValueError(f"{self._text!r}: {token!r} is not a number of digits; a decimal is like decimal(12,2)")
        return int(token)

    def _next_is(self, token: str) -> bool:
        found = self._position < len(self._tokens) and self._tokens[self._position] == token
        self._position += found
        return found

    def _next(self) -> str:
        if self._position == len(self._tokens):
            raise ValueError(f"{self._text!r} is not a whole type; allowed are {_allowed()}")
        self._position += 1
        return self._tokens[self._position - 1]

    def _expect(self, token: str) -> None:
        if not self._next_is(token):
            raise ValueError(f"{self._text!r} lacks {token!r}; allowed are {_allowed()}")


def _tokens(text: str) -> list[str]:
    tokens, position, text = [], 0, text.rstrip()
    while position < len(text):
        match = _TOKEN.match(text, position)
        if match is None:
            raise ValueError(f"{text!r} is not a type; allowed are {_allowed()}")
        tokens.append(match[1])
        position = match.end()
    return tokens


def _allowed() -> str:
    written = {Kind.DECIMAL: "decimal(12,2)", Kind.LIST: "list<TYPE>", Kind.STRUCT: "struct<NAME: TYPE, ...>"}
    return ", ".join(written.get(kind, str(kind)) for kind in Kind)
