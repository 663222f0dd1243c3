"""Pages whose text is made by scripts, rendered in Chromium; `subresources` is what such a page may fetch, through our own downloader."""

from schemas.moved import former_module

__getattr__ = former_module(__name__, "spiders.browser.browser")
