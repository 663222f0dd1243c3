"""Functions for page workers: the HTML of a page says what they do with it."""

from __future__ import annotations

import contextlib
import ctypes
import os
import sys
import time

from processing.article.metadata.metadata import read_metadata
from processing.article.outline.container import find_container
from processing.article.outline.walk import read_outline
from processing.article.pagetype.pagetype import page_type
from processing.article.tree.parse import parse
from schemas.article import Article
from schemas.outcomes import Rejected
from schemas.page import Page


def read(page: Page) -> Article | Rejected:
    """Parse, metadata and page type, as extraction does them."""
    tree = parse(page.html)
    metadata = read_metadata(tree, page)
    outline = read_outline(tree.body)
    kind = page_type(tree, page, metadata, outline, find_container(outline))
    return Article(page.url, (), title=metadata.title, page_type=kind)


def misbehave(page: Page) -> Article | Rejected:  # noqa: C901 one line a misbehaviour
    """Do what the page's HTML says."""
    if page.html == "hang":
        time.sleep(3600)
    elif page.html == "spin":
        while True:
            pass
    elif page.html == "eat":
        eaten = []
        while True:
            eaten.append(bytearray(16 * 1024 * 1024))
    elif page.html == "segfault":
        ctypes.string_at(0)
    elif page.html == "exit":
        os._exit(3)
    elif page.html == "raise":
        raise ValueError("no such luck")
    elif page.html == "recurse":
        return misbehave(page)
    elif page.html == "forge":
        for file in range(3, 20):  # one of them leads to the parent
            with contextlib.suppress(OSError):
                os.write(file, (100).to_bytes(8, "big") + b"\x80\x05" + b"." * 98)
    elif page.html == "print":
        print("not a frame")
        sys.stdout.flush()
    return Article(page.url, (), title=f"{page.html} {os.getpid()}")


def unpicklable(page: Page) -> object:
    """A result that cannot be sent."""
    return lambda: page
