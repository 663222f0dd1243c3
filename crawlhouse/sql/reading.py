"""Checks that SQL is one statement that only reads the published tables. The check uses DuckDB's syntax tree, never the text."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from schemas.errors import ConfigError

if TYPE_CHECKING:
    import duckdb

Node = dict[str, Any]  # Any: a part of DuckDB's own syntax tree, as JSON

READING, EXPLAINING = "SELECT", "EXPLAIN"  # DuckDB's kinds of statements; DESCRIBE, SHOW, SUMMARIZE, VALUES and FROM are SELECT too
SEVERAL = "MULTI"  # a PIVOT that must read its values first: DuckDB makes several statements of it

# Nodes of the syntax tree that are not expressions and that only read. COPY and INSERT inside a WITH are nodes too, but not in this list.
NODE_TYPES = {
    "SELECT_NODE", "SET_OPERATION_NODE", "RECURSIVE_CTE_NODE", "CTE_NODE",
    "BASE_TABLE", "TABLE_FUNCTION", "SUBQUERY", "JOIN", "PIVOT", "EXPRESSION_LIST", "EMPTY", "SHOW_REF",
    "DISTINCT_MODIFIER", "LIMIT_MODIFIER", "LIMIT_PERCENT_MODIFIER", "ORDER_MODIFIER", "ORDER_DEFAULT", "ASCENDING", "DESCENDING",
}  # fmt: skip

# Functions in FROM that read no file, get no table's name as text, run no other SQL and change nothing.
FUNCTIONS = {
    "range", "generate_series", "unnest", "repeat", "repeat_row", "json_each", "json_tree", "summary",
    "duckdb_columns", "duckdb_databases", "duckdb_functions", "duckdb_keywords", "duckdb_schemas", "duckdb_settings", "duckdb_tables",
    "duckdb_types", "duckdb_views", "pragma_table_info", "pragma_version", "pg_timezone_names", "icu_calendar_names",
}  # fmt: skip

SCHEMAS = {"memory", "main", "system", "information_schema", "pg_catalog"}
PATH_CHARACTERS = set("./\\:*?[]{}")  # a name with one of them may be a file to DuckDB


def parse_read_only(sql: str) -> duckdb.Statement:
    """The one statement of `sql`, parsed and checked: it only reads tables. Execute this object, not the text.

    Raises ConfigError for SQL that cannot be parsed, for several statements, and for a statement that writes, changes or reads files.
    """
    import duckdb

    with duckdb.connect(config={"temp_directory": ""}) as parser:
        statement = _only_statement(parser, sql)
        _check_tree(parser, _reading_text(parser, statement))
    return statement


def _only_statement(parser: duckdb.DuckDBPyConnection, sql: str) -> duckdb.Statement:
    import duckdb

    if "\0" in sql or not _is_utf8(sql):
        raise ConfigError("The SQL has a NUL character, or bytes that are not UTF-8. Write them with chr().")
    try:
        statements = parser.extract_statements(sql)
    except duckdb.Error as error:
        raise ConfigError(f"The SQL cannot be parsed: {' '.join(str(error).partition(chr(10) * 2 + 'LINE')[0].split())}") from error
    if len(statements) != 1:
        raise ConfigError(f"One SQL statement is needed, but {len(statements)} were given.")
    return statements[0]


def _is_utf8(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _reading_text(parser: duckdb.DuckDBPyConnection, statement: duckdb.Statement) -> str:
    """The text of the reading statement: the statement itself, or the one after EXPLAIN."""
    kind = _kind(statement)
    if kind == READING:
        return statement.query
    if kind == EXPLAINING:
        explained = list(_statements_after_explain(statement.query))
        for text in explained:
            if _is_reading(parser, text):
                return text
        kind = next((kind for text in explained if (kind := _kind_of_text(parser, text))), kind)
    if kind == SEVERAL:
        raise ConfigError("A PIVOT needs its values named, as in PIVOT articles ON language IN ('de', 'en') USING count(*).")
    raise ConfigError(f"Only statements that read are allowed, like SELECT, DESCRIBE or SUMMARIZE; this one is {kind}.")


def _statements_after_explain(query: str) -> Iterator[str]:
    """The texts that may be the statement after EXPLAIN, by DuckDB's tokens: after the keywords, and after options in parentheses."""
    import duckdb

    data = query.encode()
    offsets = [offset for offset, kind in duckdb.tokenize(query) if kind is not duckdb.token_type.comment]
    tokens = [data[start:end].decode(errors="replace").strip() for start, end in zip(offsets, [*offsets[1:], len(data)], strict=True)]
    words = 2 if tokens[1:2] and tokens[1].upper().startswith("ANALYZE") else 1
    for index in (words, _after_parentheses(tokens, words)):
        if index < len(offsets):
            yield data[offsets[index] :].decode()


def _after_parentheses(tokens: list[str], start: int) -> int:
    """The index of the first token after a `( ... )` at `start`. The number of tokens if there is no `( ... )`."""
    for index in range(start + 1, len(tokens)) if tokens[start : start + 1] == ["("] else ():
        if tokens[index] == ")":
            return index + 1
    return len(tokens)


def _is_reading(parser: duckdb.DuckDBPyConnection, text: str) -> bool:
    return _kind_of_text(parser, text) == READING


def _kind_of_text(parser: duckdb.DuckDBPyConnection, text: str) -> str:
    """The kind of the statement in a text. Empty if the text is not exactly one statement."""
    import duckdb

    try:
        statements = parser.extract_statements(text)
    except duckdb.Error:
        return ""
    return _kind(statements[0]) if len(statements) == 1 else ""


def _kind(statement: duckdb.Statement) -> str:
    try:
        return str(statement.type).rpartition(".")[2]
    except ValueError:  # DuckDB's parser knows this kind, but its Python package does not
        return "of another kind"


def _check_tree(parser: duckdb.DuckDBPyConnection, text: str) -> None:
    """Raises ConfigError for a node of the statement that does not only read the published tables."""
    try:
        tree = json.loads(parser.execute("SELECT json_serialize_sql($1)", [text]).fetchall()[0][0])
    except RecursionError as error:
        raise ConfigError("The SQL is nested too deeply. Write it with fewer levels.") from error
    if tree.get("error"):
        raise ConfigError(f"Only statements that read are allowed: {tree.get('error_message')}")
    for node in _nodes(tree):
        _check_node(node)


def _nodes(tree: Node) -> Iterator[Node]:
    """The nodes of a syntax tree that are not expressions: table references, clauses, and statements inside the statement."""
    open_nodes: list[object] = [tree]
    while open_nodes:
        node = open_nodes.pop()
        if isinstance(node, dict):
            if isinstance(node.get("type"), str) and "class" not in node:
                yield node
            open_nodes.extend(node.values())
        elif isinstance(node, list):
            open_nodes.extend(node)


def _check_node(node: Node) -> None:
    part = node["type"]
    if part not in NODE_TYPES:
        raise ConfigError(f"A query only reads: {part.removesuffix('_NODE').removesuffix('_QUERY')} is not allowed in it.")
    if part == "TABLE_FUNCTION" and (name := str(node["function"].get("function_name"))).lower() not in FUNCTIONS:
        raise ConfigError(f"A query reads the lake's tables only: the function {name}() is not allowed in FROM.")
    if part in {"BASE_TABLE", "SHOW_REF"}:
        path = [str(name) for name in (node.get("qualified_name") or {}).get("path", [])]
        _check_name(path or ["/"] if part == "BASE_TABLE" else path)  # a table without a name cannot be checked, so it is refused


def _check_name(path: list[str]) -> None:
    if any(PATH_CHARACTERS & set(name) for name in path):
        raise ConfigError(f"A query reads the lake's tables only, no files: {'.'.join(path)!r} is not one of them.")
    if any(name.lower() not in SCHEMAS for name in path[:-1]):
        raise ConfigError(f"A query reads the lake's tables only: {'.'.join(path)!r} is not one of them.")
