"""One worker's session in a run: it leases hosts, fetches their URLs in turn, and records each exchange.

In: a `context.FetchContext` with all that the parts share. Out: captures, found URLs and results, which go on to `spiders.spool`.
`session.FetchSession` is the worker's loop. Its parts are a line, each knows only those after it: `leased_hosts`, `host` (one leased host
at its `pace`), `request_queue` (URLs on their way to the downloader), `exchange` (a response becomes a record and a result), `context`.
A redirect's target is found and checked in `spiders.discover.response`; `exchange` ends chains that go in a circle, and the registrar
adds the target to the frontier (`storage.frontier.enqueue`). `url_results` says what became of the URL, and whether its content is the same
as before, so that a revisit record is written (`revisit_target`).
"""

from schemas.moved import former_module

__getattr__ = former_module(__name__, "spiders.session.session")
