"""The kinds of blocks as names of a module. Python 3.11 finds a member in its enumeration ten times as slowly, and most steps ask often."""

from __future__ import annotations

from schemas.article import BlockKind

PARAGRAPH = BlockKind.PARAGRAPH
HEADING = BlockKind.HEADING
LIST_ITEM = BlockKind.LIST_ITEM
QUOTE = BlockKind.QUOTE
TABLE = BlockKind.TABLE
CAPTION = BlockKind.CAPTION
CODE = BlockKind.CODE
