"""Renders pages whose text is made by scripts, in Chromium.

In: the `Capture` of a page. Out: a capture of the document that its scripts made, from `browser.PageBrowser.render`.
`subresources.SubResources` fetches what such a page may fetch, through crawlhouse's own downloader. `browser.check_browser` says before a
run what is missing.
"""

from schemas.moved import former_module

__getattr__ = former_module(__name__, "spiders.browser.browser")
