"""The language of a block of code, as syntax highlighters declare it."""

from __future__ import annotations

import re

from processing.article.tree.parse import Node

_LANGUAGE = re.compile(r"(?:^|\s)(?:language|lang|highlight-source|highlight|brush:?|sourceCode)[-:\s]\s*([A-Za-z][\w+#.-]{0,30})")
_NOT_LANGUAGES = frozenset(("none", "default", "plaintext", "plain", "text", "nohighlight", "wrapper", "block"))
_ANCESTORS = 3


def code_language(node: Node) -> str:
    """The language that a `pre`, its `code` or an element close around it names; empty if none does."""
    inner = node.css_first("code")
    around: list[Node] = [node] if inner is None else [inner, node]
    parent = node.parent
    while parent is not None and len(around) < _ANCESTORS + 1:
        around.append(parent)
        parent = parent.parent
    for one in around:
        attributes = one.attributes
        found = _LANGUAGE.search(attributes.get("class") or "")
        name = found[1] if found else (attributes.get("data-lang") or attributes.get("data-language") or "")
        if re.fullmatch(r"[A-Za-z][\w+#.-]{0,30}", name) and name.lower() not in _NOT_LANGUAGES:
            return name.lower()
    return ""
