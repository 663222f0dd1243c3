"""Check the selectors of a crawl's site rules. `schemas` cannot parse CSS, so this is called wherever a crawl's file is read to run it."""

from __future__ import annotations

from pathlib import Path

from schemas.config.crawl import Crawl
from schemas.config.crawl_file import line_of
from schemas.errors import ConfigError


def check_rules(crawl: Crawl, path: Path) -> None:
    """Check that the selectors of a crawl's site rules are valid. Raises ConfigError that lists all mistakes with their lines in `path`."""
    if not crawl.articles.rules:
        return
    from processing.article.site_rules import selector_errors  # slow to import, and most crawls have no rules

    problems = []
    for host, rules in crawl.articles.rules.items():
        for keys, problem in selector_errors(rules):
            location = ("articles", "rules", host, *keys)
            problems.append((line_of(path, *location) or 1, f"{'.'.join(map(str, location))}: {problem}"))
    if problems:
        raise ConfigError("\n".join(f"{path}: line {line}: {problem}" for line, problem in sorted(problems)))
