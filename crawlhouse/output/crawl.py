"""Describes a crawl to its user: what it may fetch, how it behaves, and where it stops."""

from __future__ import annotations

from schemas.config.crawl import Crawl
from schemas.credentials.redaction import redacted_url
from schemas.numbers import format_bytes, plural


def describe_crawl(crawl: Crawl) -> dict[str, str]:
    """A crawl's description: texts by subject."""
    from spiders.download.user_agent import user_agent

    budgets = crawl.budgets
    starts = [seed.url for seed in crawl.seeds] + ([f"where {crawl.spider} says"] if crawl.has_own_spider() else [])
    return {
        "starts at": "\n".join(starts),
        "may fetch": _scope(crawl),
        "never fetches": "\n".join(f"URLs that match {pattern}" for pattern in crawl.scope.exclude) or "what robots.txt denies",
        "says it is": user_agent(crawl),
        **({"secrets": _secrets(crawl)} if crawl.secret_names() else {}),
        "manners": _manners(crawl),
        "network": _network(crawl),
        "stops after": (
            f"{plural(budgets.max_pages, 'page')}, {budgets.max_pages_per_host:,} on one host, "
            f"{format_bytes(budgets.max_bytes)} or {plural(round(budgets.max_minutes), 'minute')}; "
            f"{format_bytes(budgets.max_bytes_per_host)} or {plural(round(budgets.max_minutes_per_host), 'minute')} of one host"
        ),
        "rows of": ", ".join(crawl.datasets),
        "runs": crawl.schedule or "when asked",
    }


def _scope(crawl: Crawl) -> str:
    scope = crawl.scope
    hosts = ", ".join(crawl.hosts()) + (" and their subdomains" if scope.subdomains else "")
    only = f", only URLs that match {' or '.join(scope.include)}" if scope.include else ""
    ways = [f"what {crawl.spider} asks for"] if crawl.has_own_spider() else []
    ways += [name for name, on in (("links", scope.follow_links), ("sitemaps", scope.sitemaps), ("feeds", scope.feeds)) if on]
    follows = f"following {', '.join(ways)} up to depth {scope.max_depth}" if ways else "the seeds alone"
    return f"{hosts}{only}; {follows}"


def _secrets(crawl: Crawl) -> str:
    proxy = [f"{crawl.network.proxy_secret} to the proxy alone"] if crawl.network.proxy_secret else []
    return "\n".join([*(f"{one.secret} to {one.origin} alone" for one in crawl.credentials), *proxy])


def _manners(crawl: Crawl) -> str:
    politeness = crawl.politeness
    robots = "robots.txt is obeyed" if politeness.robots == "obey" else "robots.txt is IGNORED: only for sites that are your own"
    pause = f"{politeness.delay:g} s between two requests to a host" if politeness.delay else "no delay between requests"
    contact = "" if politeness.contact else "; NO CONTACT is given: set politeness.contact"
    return f"{robots}; {pause}, {politeness.concurrency_per_host} at a time{contact}"


def _network(crawl: Crawl) -> str:
    network = crawl.network
    reach = ", and ".join(["public addresses only", *(str(allowed) for allowed in network.allow)])
    tls = "TLS certificates are verified" if network.verify_tls else "TLS certificates are NOT verified"
    proxy = "all through {}, which resolves the names, so the proxy itself must refuse private addresses"
    return "; ".join([reach, tls, *([proxy.format(redacted_url(network.proxy))] if network.proxy else [])])
