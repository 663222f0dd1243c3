"""Renders pages whose text is made by scripts, in Chromium.

In goes the `Capture` of a page, out comes `PageBrowser.render`'s capture of the document that its scripts made. `subresources.SubResources`
fetches what such a page may fetch, through our own downloader. `browser.check_browser` says before a run what is missing.
"""

from schemas.moved import former_module

__getattr__ = former_module(__name__, "spiders.browser.browser")
