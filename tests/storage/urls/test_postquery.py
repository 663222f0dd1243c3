"""Bodies as queries, compared with the output of `cdxj-indexer --post-append`."""

from __future__ import annotations

import io
import json
import warnings

import pytest
import surt
from hypothesis import given
from hypothesis import strategies as st

from storage.urls.post_query import post_query, with_post_query
from storage.urls.surt import surt_key

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # its AMF library warns of its own age
    from cdxj_indexer.postquery import append_method_query

FORM, JSON, PLAIN = "application/x-www-form-urlencoded", "application/json; charset=utf-8", "text/plain"
BODIES = [
    b"",
    b"a=1&b=2",
    b"q=%C3%A4+b%0A%20c&n=1",
    b"\xff\x00",
    b'{"a": 1, "b": {"a": [2, null, true, 1.5]}, "c": []}',
    b'{"a": 1}\n{"a": 2}',
    b'{"a": 1}\n',
    b'{"a": "\\ud800"}',
    b"[1, 2]",
    b"[" * 5_000,
    b'{"a": "' + b"x" * 5_000 + b'"}',
]
JSONS = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from("abc"), inner),
)


def others(kind: str, body: bytes, url: str) -> tuple[str, str]:
    query, appended = append_method_query("POST", kind, str(len(body)), io.BytesIO(body), url)
    return query, surt.surt(url + appended)


def check(kind: str, body: bytes, url: str = "http://example.com/Api") -> None:
    query = post_query(kind, body)
    assert (query, surt_key(with_post_query(url, "POST", query))) == others(kind, body, url)


@pytest.mark.parametrize("kind", [FORM, JSON, PLAIN, "text/xml", ""])
@pytest.mark.parametrize("body", BODIES, ids=range(len(BODIES)))
def test_a_body_is_the_query_that_cdxj_indexer_makes_of_it(kind: str, body: bytes) -> None:
    check(kind, body)
    check(kind, body, "https://example.com:8443/api?b=1")


@given(st.sampled_from([FORM, JSON, PLAIN, "text/xml"]), st.binary(max_size=40) | st.text("aB=&+%0A ü\n", max_size=30).map(str.encode))
def test_any_body(kind: str, body: bytes) -> None:
    check(kind, body)


@given(JSONS)
def test_any_json(value: object) -> None:
    check(JSON, json.dumps(value).encode())
