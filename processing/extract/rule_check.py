"""A crawl's site rules before they are used: schemas know no CSS, so whoever reads a crawl's file to run it asks here."""

from __future__ import annotations

from pathlib import Path

from schemas.config.crawl import Crawl
from schemas.config.crawl_file import line_of
from schemas.errors import ConfigError


def check_rules(crawl: Crawl, path: Path) -> None:
    """See that every selector of a crawl's site rules is one. Raises ConfigError for all that are none, with their lines in `path`."""
    if not crawl.articles.rules:
        return
    from processing.article.site_rules import selector_errors  # the engine: not for a crawl without rules

    problems = []
    for host, rules in crawl.articles.rules.items():
        for place, problem in selector_errors(rules):
            location = ("articles", "rules", host, *place)
            problems.append((line_of(path, *location) or 1, f"{'.'.join(map(str, location))}: {problem}"))
    if problems:
        raise ConfigError("\n".join(f"{path}: line {line}: {problem}" for line, problem in sorted(problems)))
