"""What rows of the built-in source `pages` have besides their text: asked for by a crawl's key `pages`."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from schemas.yaml_files.bounds import at_most
from schemas.yaml_files.model import ConfigModel

MAX_CHUNK_CHARACTERS = 100_000
ChunkSize = Annotated[int, at_most(MAX_CHUNK_CHARACTERS)]


class PageOptions(ConfigModel):
    """Columns of `pages` that are NULL or empty unless asked for.

    `markdown`: the text as Markdown. `chunks`: its parts of at most so many characters. `comments`: the posts of a forum, or the comments
    and reviews of readers.
    """

    markdown: bool = False
    chunks: ChunkSize | None = Field(default=None, ge=200)
    comments: bool = False
