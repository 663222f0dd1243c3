"""The chaos tests crawl the demo site's own process."""

from tests.demosite import demo_site

__all__ = ["demo_site"]
