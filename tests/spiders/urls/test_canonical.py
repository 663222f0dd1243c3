"""One spelling per page."""

import pytest

from spiders.urls.canonical import canonicalize, resolve_link


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        ("http://a.example", "http://a.example/"),
        ("HTTP://A.Example:80/x#part", "http://a.example/x"),
        ("https://a.example:443/", "https://a.example/"),
        ("https://a.example:8443/", "https://a.example:8443/"),
        ("https://a.example/a/./b/../c/", "https://a.example/a/c/"),
        ("https://a.example/../..", "https://a.example/"),
        ("https://a.example/x/%2E%2e/y/%2e", "https://a.example/y/"),
        ("https://%61.ex%61mple/%61", "https://a.example/a"),
        ("https://stra%C3%9Fe.example/", "https://xn--strae-oqa.example/"),
        ("https://a%2Fb.example/", None),
        ("https://a%00b.example/", None),
        ("https://a%ffb.example/", None),
        ("https://a%2561.example/", None),
        ("https://a.example/%7euser/%c3%a9", "https://a.example/~user/%C3%A9"),
        ("https://a.example/é?q=ü x", "https://a.example/%C3%A9?q=%C3%BC%20x"),
        ("https://bücher.example/", "https://xn--bcher-kva.example/"),
        ("https://a.example/x?utm_source=a&id=7&fbclid=9", "https://a.example/x?id=7"),
        ("https://a.example/x?utm_source=a", "https://a.example/x"),
        ("https://a.example/x;jsessionid=0A1B?b=2&a=1", "https://a.example/x?b=2&a=1"),
        ("https://a.example/x?mtm_campaign=a&pk_kwd=b&id=7&srsltid=c&__hstc=1&gad_source=1&pk=2", "https://a.example/x?id=7&pk=2"),
        ("https://a.example:0443/x", "https://a.example/x"),
        ("https://a.example./x", "https://a.example/x"),
        ("http://[2001:DB8::1]:80/x", "http://[2001:db8::1]/x"),
        ("https://user:secret@a.example/x", "https://a.example/x"),
        ("https://a.example//x", "https://a.example//x"),
        ("https://a.example/#!/page", "https://a.example/"),
        ("http://１２７.0.0.1/", "http://127.0.0.1/"),
        ("http://a b.example/", None),
        ("http://a<b.example/", None),
        ("ftp://a.example/", None),
        ("https:///x", None),
        ("http://a.example:99999/", None),
        ("https://a.example/" + "x" * 2_000, None),
    ],
)
def test_canonical_urls(given: str, wanted: str | None) -> None:
    assert canonicalize(given) == wanted
    if wanted is not None:
        assert canonicalize(wanted) == wanted


def test_a_sitemap_keeps_its_parameters() -> None:
    assert canonicalize("https://a.example/x?utm_source=a", strip_parameters=False) == "https://a.example/x?utm_source=a"


@pytest.mark.parametrize(
    ("reference", "wanted"),
    [
        ("../b", "https://a.example/b"),
        ("?page=2", "https://a.example/x/y?page=2"),
        ("?", "https://a.example/x/y"),
        ("//b.example/z", "https://b.example/z"),
        (" /c\n", "https://a.example/c"),
        ("\\c\\d?e\\f", "https://a.example/c/d?e%5Cf"),
        ("\\\\b.example\\z", "https://b.example/z"),
        ("#top", None),
        ("JavaScript:void(0)", None),
        ("mailto:a@b.example", None),
        ("tel:123", None),
        ("http://[broken", None),
        ("", None),
        ("http:/b.example/z", "http://b.example/z"),
        ("///b.example/z", "https://b.example/z"),
        ("https:///b.example/z", "https://b.example/z"),
        ("https:/z", "https://a.example/z"),
        ("https:z", "https://a.example/x/z"),
        ("feed:https://b.example/rss", "https://b.example/rss"),
        ("feed://b.example/rss", "http://b.example/rss"),
    ],
)
def test_links_become_urls(reference: str, wanted: str | None) -> None:
    assert resolve_link("https://a.example/x/y", reference) == wanted
    assert resolve_link("https://a.example/x/y?page=1", reference) == wanted


@pytest.mark.parametrize(
    ("written", "wanted"),
    [
        ("https://faß.example/", "https://xn--fa-hia.example/"),
        ("https://STRASSE.example/Straße", "https://strasse.example/Stra%C3%9Fe"),
        ("https://user:pw@straße.example:8080/x", "https://xn--strae-oqa.example:8080/x"),
        ("//βόλος.example", "https://xn--nxasmm1c.example/"),
        ("https://نامه\u200cای.example/", "https://xn--mgba3gch31f060k.example/"),
        ("https://MÜLLER.example/", "https://xn--mller-kva.example/"),
        ("https://日本語。jp/", "https://xn--wgv71a119e.jp/"),
        ("https://i❤.ws/", "https://xn--i-7iq.ws/"),
        ("https://a_b.müller.example/", "https://a_b.xn--mller-kva.example/"),
        ("https://" + "ü" * 70 + ".example/", None),
    ],
)
def test_hosts_are_written_by_idna_2008(written: str, wanted: str | None) -> None:
    assert resolve_link("https://a.example/", written) == wanted
