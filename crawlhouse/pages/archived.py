"""An archived page without anything that could run, load or lead anywhere: its text with headings, lists, tables and quotes."""

from __future__ import annotations

import nh3

from crawlhouse.reports.url_report import decoded_html
from storage.warc.reader import Record

TAGS = nh3.ALLOWED_TAGS - {"img", "map", "area"} | {"main", "section"}
ATTRIBUTES = {"td": {"colspan", "rowspan"}, "th": {"colspan", "rowspan"}, "*": {"lang", "dir"}}
LEFT_OUT = {"script", "style", "title", "noscript", "template", "svg", "select"}  # with what is in them
HEAD = (
    '<!doctype html><html><head><meta charset="utf-8"><title>Archived page</title>'
    "<style>body{font:15px/1.5 system-ui,sans-serif;margin:1rem;max-width:44rem;color:#18181b;background:#fff;overflow-wrap:anywhere}"
    "td,th{border:1px solid #ddd;padding:.2rem .4rem;vertical-align:top}table{border-collapse:collapse}a{margin-right:.4em}"
    "</style></head><body>"
)
HEADERS = {  # beside what was removed: nothing of it may run or load
    "Content-Security-Policy": (
        "sandbox; default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'self'; base-uri 'none'; form-action 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}


def archived_page(record: Record) -> str:
    """The page as HTML of its own. It is decoded in a process with limits. Raises StorageError when it is not text."""
    return f"{HEAD}{harmless(decoded_html(record))}</body></html>"


def harmless(html: str) -> str:
    """What is left of HTML when nothing of it can run, load or lead anywhere."""
    return nh3.clean(html, tags=TAGS, clean_content_tags=LEFT_OUT, attributes=ATTRIBUTES, url_schemes=set(), link_rel=None)
