"""A page as the sources of datasets see it: one parse for all of them, made when it is first needed."""

from __future__ import annotations

import re
from functools import cached_property
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin

from processing.article.article import read_article
from processing.article.tree.parse import Tree, parse
from schemas.article import Article
from schemas.outcomes import Rejected
from schemas.page import Page
from schemas.web.ai_preferences import NO_PREFERENCES, AiPreferences

if TYPE_CHECKING:
    from schemas.config.crawl import SiteRules

# a path from the root whose segments have no meaning of their own, as `..` has
_PLAIN_PATH = re.compile(r"(?:/[A-Za-z0-9_~%-][\w.~%-]*)+", re.ASCII)


class TooMuchError(Exception):
    """A page has more, or larger, rows or objects than are read of one page; the message says how many are."""


class PageView:
    """A page with its tree. `tree` is given where the page is parsed already and nothing was cut out of it.

    `rules` are the crawl's site rules for the page's host, `containers` the elements in which the host has its articles, `preferences`
    what the site says of uses by AI.
    """

    def __init__(
        self,
        page: Page,
        tree: Tree | None = None,
        rules: SiteRules | None = None,
        containers: tuple[str, ...] = (),
        preferences: AiPreferences = NO_PREFERENCES,
    ) -> None:
        self.page = page
        self.rules, self.preferences = rules, preferences
        self._containers = containers
        if tree is not None:
            self.tree = tree

    @cached_property
    def tree(self) -> Tree:
        """The parsed page, as article extraction has it."""
        return parse(self.page.html, self.page.utf8)

    @cached_property
    def article(self) -> Article | Rejected:
        """The page's article. Site rules cut elements out of the tree, so whatever reads the whole tree must come before."""
        return read_article(self.page, self.rules, self._containers, self.tree)

    @cached_property
    def xpath_tree(self) -> Any:  # Any: lxml has no types
        """The page parsed by lxml, for XPath, which the other engine does not know: a second parse, for crawls that use it."""
        from lxml import etree

        parser = etree.HTMLParser(encoding="utf-8", recover=True, no_network=True, huge_tree=False)
        html = self.page.html.replace("\x00", " ").encode("utf-8", "replace")
        root = etree.fromstring(html, parser) if html.strip() else None
        return etree.fromstring(b"<html></html>", parser) if root is None else root

    def absolute(self, address: str) -> str:
        """An address on the page as an absolute URL; as it is written where it is none."""
        if _PLAIN_PATH.fullmatch(address):  # most are: a fifth of the time
            return self._origin + address
        try:
            return urljoin(self._base, address.strip())
        except ValueError:
            return address

    @cached_property
    def _origin(self) -> str:
        """The page's base without its path."""
        return urljoin(self._base, "/")[:-1]

    @cached_property
    def _base(self) -> str:
        base = self.tree.css_first("base[href]")
        href = (base.attributes.get("href") or "") if base is not None else ""
        try:
            return urljoin(self.page.url, href.strip())
        except ValueError:
            return self.page.url
