"""Gives each URL one spelling, its canonical form. The frontier compares URLs in this form only."""

from __future__ import annotations

import re
from functools import lru_cache
from urllib.parse import SplitResult, unquote, urljoin, urlsplit

from w3lib.url import safe_url_string

from schemas.web.urls import DEFAULT_PORTS
from spiders.urls.session_ids import is_session_parameter, without_path_session
from storage.urls.host_key import canonical_name, canonical_origin, with_port

MAX_URL_CHARACTERS = 2_000  # the length that all browsers and servers accept
TRACKING = re.compile(
    r"^(utm_\w+|fbclid|gclid|gclsrc|dclid|gbraid|wbraid|msclkid|yclid|ysclid|twclid|ttclid|igshid|igsh|mc_[ce]id|mkt_tok|_hs(enc|mi)"
    r"|_ga|_gl|vero_(id|conv)|oly_(anon|enc)_id|wt_?mc\w*|at_(medium|campaign|custom\d|link\w*)|ns_(mchannel|source|campaign|linkname|fee)"
    r"|cmpid|ocid|ito|spm|s_kwcid|ef_id|mibextid|xtor|(mtm|pk|piwik|matomo)_(campaign|cid|content|group|keyword|kwd|medium|placement|source)"
    r"|hsa_\w+|__hs(fp|sc|tc)|hsctatracking|gad_(source|campaignid)|srsltid|li_fat_id|epik|_branch_(match_id|referrer)|sc_(cid|eh|uid)|s_cid"
    r"|rb_clickid|irclickid|wickedid|__twitter_impression|_openstat|fb_(action_(ids|types)|source|ref|comment_id)|guccounter"
    r"|guce_referrer(_sig)?|_kx|bsft_(clkid|uid)|ml_subscriber(_hash)?|ss_email_id|unicorn_click_id|[sy]mclid)$",
    re.IGNORECASE,
)
CANONICAL_URL = re.compile(r"https?://[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?(?::[1-9][0-9]{3}|:[1-5][0-9]{4})?/[A-Za-z0-9_~,;:@!$'()*+=/.-]*\Z")
NEEDS_CLEANING = re.compile(r"/\.|;|/\(")
AUTHORITY = re.compile(r"([A-Za-z]+://(?:[^/?#@]*@)?)([^/?#@:\\[\]]+)")
OTHER_SCHEMES = ("javascript:", "mailto:", "tel:", "data:")
FORBIDDEN_HOST_CHARACTERS = re.compile(r"[\x00-\x20\x7f\"<>\\^`{|}]")  # forbidden in a host by the URL Standard
SIMPLE_REFERENCE = re.compile(r"[A-Za-z0-9_~-][A-Za-z0-9_~/-]*(?:\.[A-Za-z0-9]+)?\Z")
FORBIDDEN_IN_DECODED_HOST = re.compile(r"[#%/:?@\[\]]")
WEB_SCHEME = re.compile(r"(?:feed:)?(https?):(/*)", re.IGNORECASE)
FEED_SCHEME = "feed://"  # by which old pages link to feeds
BACKSLASHES = re.compile(r"\A[^?#]*")  # the URL Standard reads a backslash in a path as a slash
ESCAPE = re.compile(r"%[0-9a-fA-F]{2}")
UNRESERVED = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")


def resolve_link(base: str, reference: str, strip_parameters: bool = True) -> str | None:
    """The canonical URL of a link on the page `base`, or None if it is not an http(s) URL. `strip_parameters` as in `canonicalize`."""
    reference = reference.strip()
    if "\\" in reference:
        reference = BACKSLASHES.sub(lambda path: path[0].replace("\\", "/"), reference)
    try:
        if reference.startswith(("http://", "https://")) and "///" not in reference[:9]:
            return canonicalize(reference, strip_parameters)
        if not reference or reference[0] == "#" or reference[:11].lower().startswith(OTHER_SCHEMES):
            return None
        if reference.startswith("///"):  # the URL Standard reads more slashes as two
            reference = "//" + reference.lstrip("/")
        if reference[0] == "/" and reference[1:2] != "/":
            return canonicalize(canonical_origin(base) + reference, strip_parameters)
        if reference[0] == "?":  # also `?` alone, for the page without its query
            return canonicalize(base.partition("?")[0] + reference, strip_parameters)
        if SIMPLE_REFERENCE.match(reference):
            return canonicalize(base.partition("?")[0].rpartition("/")[0] + "/" + reference, strip_parameters)
        return canonicalize(urljoin(base, _with_two_slashes(base, reference)), strip_parameters)
    except ValueError:
        return None


def _with_two_slashes(base: str, reference: str) -> str:
    """A reference whose scheme is followed by too few or too many slashes, as the URL Standard reads it; others as they are."""
    if reference[: len(FEED_SCHEME)].lower() == FEED_SCHEME:
        return f"http://{reference[len(FEED_SCHEME) :]}"
    found = WEB_SCHEME.match(reference)
    if found is None or (len(found[2]) < 2 and found[1].lower() == base.partition(":")[0]):  # relative to the base
        return reference
    return f"{found[1]}://{reference[found.end() :]}"


@lru_cache(maxsize=2_000)
def canonicalize(url: str, strip_parameters: bool = True) -> str | None:
    """One spelling of a URL: RFC 3986 normalisation, IDNA host, no fragment, no default port, no tracking or session parameters.

    Without `strip_parameters` all parameters stay; sitemaps name URLs exactly. The order of parameters is kept, because a server may need
    it. None for a text that is not an http(s) URL or is longer than 2,000 characters.
    """
    url = url.partition("#")[0]
    if len(url) > MAX_URL_CHARACTERS:
        return None
    if CANONICAL_URL.match(url) and not NEEDS_CLEANING.search(url, 8):
        return url
    try:
        return _normalized(urlsplit(safe_url_string(_with_ascii_host(url.strip()), "utf-8")), strip_parameters)
    except (ValueError, UnicodeError):
        return None


def _normalized(parts: SplitResult, strip_parameters: bool) -> str | None:
    scheme = parts.scheme.lower()
    host = _host(parts.hostname or "")
    if scheme not in DEFAULT_PORTS or not host:
        return None
    written = without_path_session(parts.path) if strip_parameters else parts.path
    path = _remove_dot_segments(_normalize_escapes(written)) or "/"  # `%2e` is a dot, too
    query = _clean_query(parts.query, strip_parameters)
    return f"{scheme}://{with_port(scheme, host, parts.port)}{path}{'?' + query if query else ''}"


def _with_ascii_host(url: str) -> str:
    """The URL with its host decoded and in ASCII by IDNA 2008; w3lib would write it by IDNA 2003. Raises ValueError for a bad name."""
    found = None if url.isascii() and "%" not in url else AUTHORITY.match(url)
    if found is None or (found[2].isascii() and "%" not in found[2]):
        return url
    name = unquote(found[2], errors="strict")
    if FORBIDDEN_IN_DECODED_HOST.search(name):
        raise ValueError("a delimiter in a host")
    return found[1] + canonical_name(name) + url[found.end() :]


def _host(host: str) -> str:
    return "" if FORBIDDEN_HOST_CHARACTERS.search(host) else canonical_name(host)


def _remove_dot_segments(path: str) -> str:
    if "/." not in path:
        return path
    result: list[str] = []
    segments = path.split("/")
    for segment in segments:
        if segment == "..":
            if len(result) > 1:
                result.pop()
        elif segment != ".":
            result.append(segment)
    if segments[-1] in {".", ".."}:
        result.append("")
    return "/".join(result)


def _normalize_escapes(text: str) -> str:
    """Percent escapes in upper case, and none for unreserved characters (RFC 3986, 6.2.2)."""
    return ESCAPE.sub(_escape, text) if "%" in text else text


def _escape(match: re.Match[str]) -> str:
    character = chr(int(match[0][1:], 16))
    return character if character in UNRESERVED else match[0].upper()


def _clean_query(query: str, strip_parameters: bool) -> str:
    if not query or not strip_parameters:
        return _normalize_escapes(query)
    return _normalize_escapes("&".join(pair for pair in query.split("&") if pair and not _is_tracking_or_session(pair)))


def _is_tracking_or_session(pair: str) -> bool:
    name, _, value = pair.partition("=")
    return bool(TRACKING.match(name)) or is_session_parameter(name, value)
