"""YAML from anyone, read in bounded time and to a bounded depth, whatever the text is. Every mistake is a ConfigError."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import yaml

from schemas.errors import ConfigError

MAX_BYTES = 4 * 1024 * 1024  # 100,000 seeds, the most that a file may list, at 40 characters each
MAX_NODES = 200_000  # the most seeds that a file may list, and as much again; nodes that an alias repeats count each time
MAX_DEPTH = 50  # a crawl file has about five levels; see `_check_events`
MAX_NUMBER_CHARACTERS = 100  # Python reads longer numbers in quadratic time
MAX_DIRECTIVES = 10  # a file needs one at most
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # libyaml's is twenty times as fast
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff]")
_UNNAMED = 'in "<unicode string>", '  # PyYAML's place of a text without a file's name
_ADVICE = "Put long lists of seeds into a file of the store: 'seeds_file'."
_NUMBERS = ("tag:yaml.org,2002:int", "tag:yaml.org,2002:float", "tag:yaml.org,2002:timestamp")


@dataclass(frozen=True, slots=True)
class Size:
    """How many nodes a node has, aliases included, and how deeply they are nested."""

    nodes: int = 1
    height: int = 1


def read_yaml(text: str, source: str) -> tuple[yaml.Node | None, Any]:  # Any: whatever the text says
    """The nodes of a YAML text, which know their lines, and its data. Raises ConfigError, with the line if there is one."""
    try:
        return read_nodes(text, source), yaml.load(text, Loader=_LOADER)  # noqa: S506 it is a safe loader
    except (yaml.YAMLError, ValueError) as error:  # ValueError: an impossible date
        reason = " ".join(str(error).replace(_UNNAMED, "in ").split())
        raise ConfigError(f"{source} is not YAML: {message_text(reason)}") from error


def read_nodes(text: str, source: str) -> yaml.Node | None:
    """The nodes of a YAML text. Raises ConfigError for a text that exceeds a bound or has a key twice, and YAMLError."""
    _check_events(text, source)
    node: yaml.Node | None = yaml.compose(text, Loader=_LOADER)
    if node is not None:
        _measure(node, 1, {}, source)
        _check_duplicate_keys(node, source)
    return node


def check_size(content: bytes | str, source: str) -> None:
    """Raises ConfigError for a text that is too long."""
    if len(content) > MAX_BYTES:
        raise ConfigError(f"{source} has more than {MAX_BYTES // 1024**2} MiB. {_ADVICE}")


def decoded(content: bytes, source: str) -> str:
    """The text of a file. Raises ConfigError, with the line, for one that is not UTF-8."""
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise ConfigError(f"{source}: line {line}: the file is not text in UTF-8. Save it as UTF-8 in your editor.") from error


def message_text(text: str) -> str:
    """A text made safe for a message: one line, control characters escaped, the end of a long text cut off."""
    text = text if len(text) <= 500 else f"{text[:400]}... ({len(text):,} characters)"
    return "".join(one if one.isprintable() else one.encode("unicode_escape").decode() for one in text)


def _check_events(text: str, source: str) -> None:
    """Check depth, length and characters before anything is built: libyaml ends the process if the nesting is too deep for it."""
    check_size(text, source)
    if sum(1 for _ in re.finditer(r"^%", text, re.MULTILINE)) > MAX_DIRECTIVES:
        raise ConfigError(f"{source} has too many YAML directives (lines that begin with %). Remove them.")
    depth = 0
    for count, event in enumerate(yaml.parse(text, Loader=_LOADER)):
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > MAX_DEPTH or count > MAX_NODES:
            raise _over_limit(event, source)
        if isinstance(event, yaml.ScalarEvent) and _CONTROL.search(event.value):
            raise ConfigError(f"{source}: line {_line(event)}: {message_text(event.value)!r} has a control character; take it out.")


def _measure(node: yaml.Node, depth: int, known: dict[int, Size], source: str) -> Size:
    """The size of a node. Aliases count each time, since some readers copy what they refer to. Raises ConfigError beyond the bounds."""
    if id(node) in known:
        return known[id(node)]
    if depth > MAX_DEPTH:  # also for an alias that refers to a node around it
        raise _over_limit(node, source)
    if isinstance(node, yaml.ScalarNode):
        return _measured_scalar(node, source)
    children = [child for pair in node.value for child in pair] if isinstance(node, yaml.MappingNode) else node.value
    sizes = [_measure(child, depth + 1, known, source) for child in children]
    size = Size(1 + sum(one.nodes for one in sizes), 1 + max((one.height for one in sizes), default=0))
    if size.nodes > MAX_NODES or depth + size.height > MAX_DEPTH + 1:
        raise _over_limit(node, source)
    known[id(node)] = size
    return size


def _measured_scalar(node: yaml.ScalarNode, source: str) -> Size:
    if node.tag in _NUMBERS and len(node.value) > MAX_NUMBER_CHARACTERS:
        raise ConfigError(f"{source}: line {_line(node)}: a number of {len(node.value):,} characters; put it in quotes, or shorten it.")
    return Size()


def _check_duplicate_keys(node: yaml.Node, source: str) -> None:
    """Raises ConfigError for a key that is there twice. YAML's own readers would silently keep the last one."""
    pending, seen_nodes = [node], set[int]()
    while pending:
        current = pending.pop()
        if id(current) in seen_nodes:
            continue
        seen_nodes.add(id(current))
        if isinstance(current, yaml.SequenceNode):
            pending.extend(current.value)
        elif isinstance(current, yaml.MappingNode):
            seen: dict[str, int] = {}
            for key, value in current.value:
                if not isinstance(key, yaml.ScalarNode):
                    raise ConfigError(f"{source}: line {_line(key)}: a key must be plain text.")
                if key.value in seen:
                    raise ConfigError(
                        f"{source}: line {_line(key)}: '{message_text(key.value)}' is in line {seen[key.value]} already; keep one of them."
                    )
                seen[key.value] = _line(key)
                pending.append(value)


def _over_limit(node: yaml.Node | yaml.Event, source: str) -> ConfigError:
    limits = f"it is nested more than {MAX_DEPTH} levels deep, or has more than {MAX_NODES:,} entries"
    return ConfigError(f"{source}: line {_line(node)}: {limits}. {_ADVICE}")


def _line(node: yaml.Node | yaml.Event) -> int:
    return int(node.start_mark.line) + 1 if node.start_mark else 1
