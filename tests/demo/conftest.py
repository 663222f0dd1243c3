"""The demo room's tests run against the site's own process."""

from tests.demosite import demo_site

__all__ = ["demo_site"]
