"""Rows from JSON-LD, microdata and RDFa; extruct judges what is read of the latter two."""

import json
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from processing.datasets.markup_objects import microdata_objects, rdfa_objects
from processing.datasets.page_rows import PageReader
from processing.datasets.page_view import PageView
from processing.datasets.structured_data import LostObject, StructuredDataReader
from schemas.datasets.dataset_file import find_dataset, parse_dataset
from schemas.datasets.page_rows import Row
from schemas.page import Page
from tests.cpu import growth

URL = "https://shop.example/p/1"
DATASET = parse_dataset(
    "source: {structured_data: Product, map: {price: offers.price, seller: [offers.seller, brand], link: url}}\n"
    "key: sku\nfields: {sku: string, name: string, price: 'decimal(12,2)', seller: string, link: string, images: list<string>, "
    "offers: json}\n",
    "products",
)
OFFER = {"@type": "Offer", "price": "12.50", "seller": {"@type": "Organization", "name": "Shop &amp; Co"}}
PRODUCT = {"@type": "Product", "sku": "1", "name": "Thing", "offers": OFFER, "url": "/p/1"}


def _view(html: str) -> PageView:
    return PageView(Page(URL, html))


def _rows(html: str) -> list[dict[str, Any]]:
    return [dict(row) for row in StructuredDataReader(DATASET).rows(_view(html)) if not isinstance(row, LostObject)]


def _script(value: Any) -> str:
    return f'<script type="application/ld+json">{json.dumps(value)}</script>'


@pytest.mark.parametrize(
    "value",
    [
        PRODUCT,
        [{"@type": "WebSite", "name": "x", "url": "y"}, PRODUCT],
        {"@context": "https://schema.org", "@graph": [{"@type": "WebPage", "name": "x"}, PRODUCT]},
        {"@type": "WebPage", "name": "x", "mainEntity": PRODUCT},
        {"@type": "ItemList", "itemListElement": [{"@type": "ListItem", "position": 1, "item": PRODUCT}]},
        {**PRODUCT, "@type": ["https://schema.org/Product", "Thing"]},
        {**PRODUCT, "@type": "http://schema.org/Product", "offers": [OFFER, {**OFFER, "price": "99"}]},
        {**PRODUCT, "isRelatedTo": {"@type": "Product", "sku": "2", "name": "Other"}},
        {"@type": "Review", "name": "r", "itemReviewed": {"@type": "Product", "name": "Stub", "sku": "9"}, "mainEntity": PRODUCT},
        {"@graph": [{**PRODUCT, "offers": {"@id": "#offer"}}, {**OFFER, "@id": "#offer"}]},
    ],
)
def test_the_same_product_in_many_forms(value: Any) -> None:
    (row,) = _rows(_script(value))
    assert (row["sku"], row["name"], row["price"], row["link"]) == ("1", "Thing", "12.50", "https://shop.example/p/1")
    assert row["seller"] == "Shop & Co"


def test_lists_objects_and_missing_properties() -> None:
    images = ["/a.png", {"@type": "ImageObject", "url": "b.png"}]
    (row,) = _rows(_script({"@type": "Product", "sku": 7, "images": images, "brand": {"name": "B"}, "offers": {"price": 3}}))
    assert row == {
        "sku": 7, "name": None, "price": 3, "seller": "B", "link": None, "images": ["/a.png", "https://shop.example/p/b.png"],
        "offers": {"price": 3},
    }  # fmt: skip


def test_several_products_in_the_order_of_the_page() -> None:
    products = [{**PRODUCT, "sku": str(number)} for number in range(3)]
    assert [row["sku"] for row in _rows(_script(products[:2]) + _script(products[2]))] == ["0", "1", "2"]


@pytest.mark.parametrize(
    "html",
    [
        "",
        '<script type="application/ld+json">{"@type": "Organization", "name" "x"}</script>',  # nothing of the dataset is lost by it
        _script({"@type": "Product"}),
        _script({"@id": "x", "@type": "Product"}),
        _script("Product"),
        _script([[[[1]]]]),
        '<div itemscope itemtype="https://schema.org/Thing"><b itemprop=name>x</b></div>',
    ],
)
def test_pages_without_a_product(html: str) -> None:
    assert _rows(html) == []


BROKEN = '<script type="application/ld+json">[\n{"@type": "Product", "sku": "7" "name": "x"}]</script>'


def _reader_rows(name: str, html: str) -> list[Row]:
    dataset = DATASET if name == "own" else find_dataset(name, Path("none"))
    return PageReader(dataset).rows(_view(html)).rows


@pytest.mark.parametrize(("before", "kept"), [("", 0), (_script(PRODUCT), 1)])
def test_what_is_lost_in_broken_json_goes_to_quarantine_and_says_where(before: str, kept: int) -> None:
    *rows, lost = _reader_rows("own", before + BROKEN)
    assert [row.rule for row in rows] == [None] * kept
    assert lost.rule == "json_ld"
    assert lost.detail is not None
    number = 2 if before else 1
    where = f"a Product is lost: JSON-LD script {number} of the page, character 35 (line 2) is no JSON: Expecting ',' delimiter, near"
    assert lost.detail.startswith(where)
    assert json.loads(lost.row_json or "") == {"script": '[\n{"@type": "Product", "sku": "7" "name": "x"}]'}


def test_broken_json_loses_nothing_that_the_markup_has() -> None:
    assert [row.rule for row in _reader_rows("own", BROKEN + MICRODATA)] == [None, None]


def test_an_object_with_a_name_alone() -> None:
    named = {"@type": "Product", "name": "A"}
    (alone,) = _reader_rows("products", _script(named))  # what the page is about: its URL identifies it
    assert (alone.rule, alone.values["product_id"]) == (None, URL)
    (keyless,) = _reader_rows("own", _script(named))
    assert (keyless.rule, keyless.detail) == ("key", "sku: a key cannot be empty")
    several = _reader_rows("products", _script([named, {**named, "name": "B"}]))
    assert [row.detail for row in several] == ["product_id: a key cannot be empty"] * 2
    assert [row.values["sku"] for row in _reader_rows("products", _script([named, PRODUCT]))] == ["1"]  # a mention beside a whole one


@pytest.mark.parametrize(
    ("salary", "lowest", "highest", "currency"),
    [
        (50_000, "50000.00", "50000.00", None),
        ("50000", "50000.00", "50000.00", None),
        ("$50,000 - $60,000 a year", "50000.00", "60000.00", "USD"),
        ("up to 60k EUR", None, "60000.00", "EUR"),
        ("Competitive", None, None, None),
        ({"@type": "MonetaryAmount", "name": "Pay", "currency": "EUR", "value": {"minValue": 5, "maxValue": 6}}, "5.00", "6.00", "EUR"),
    ],
)
def test_the_pay_of_a_job(salary: object, lowest: str | None, highest: str | None, currency: str | None) -> None:
    (row,) = _reader_rows("jobs", _script({"@type": "JobPosting", "title": "Cook", "baseSalary": salary}))
    assert row.rule is None
    assert [row.values[name] for name in ("salary_min", "salary_max", "salary_currency")] == [lowest, highest, currency]


MICRODATA = """<body><div itemscope itemtype="https://schema.org/Product" itemref="more gone"><h1 itemprop="name">A <b>thing</b></h1>
<meta itemprop="sku" content="1"><a itemprop="url" href="/p/1">link</a><img itemprop="image" src="a.png"><img itemprop="image" src="b.png">
<div itemprop="offers" itemscope itemtype="https://schema.org/Offer"><span itemprop="price" content="12.50">12,50 €</span>
<link itemprop="availability" href="https://schema.org/InStock"><time itemprop="validFrom" datetime="2026-03-01">today</time>
<p itemprop="seller" itemscope itemtype="https://schema.org/Organization"><span itemprop="name">Shop</span></p></div></div>
<p id="more">Weight: <data itemprop="weight" value="3">three</data></p>
<div itemscope itemtype="https://schema.org/Product"><i itemprop="sku">2</i><i itemprop="name">Other</i></div>
<i itemprop="name">of nothing</i>"""
RDFA = """<body vocab="https://schema.org/"><div typeof="Product" resource="#p"><h1 property="name">A <b>thing</b></h1>
<meta property="sku" content="1"><a property="url" href="/p/1">link</a><img property="image" src="a.png">
<div property="offers" typeof="Offer">
<span property="price" content="12.50">12,50 €</span><link property="availability" href="https://schema.org/InStock">
<p property="seller" typeof="Organization"><span property="schema:name">Shop</span></p></div></div>
<meta property="og:title" content="no">"""


def test_microdata() -> None:
    rows = _rows(MICRODATA)
    assert [row["sku"] for row in rows] == ["1", "2"]
    assert (rows[0]["name"], rows[0]["price"], rows[0]["seller"], rows[0]["link"]) == ("A thing", "12.50", "Shop", URL)


def test_rdfa() -> None:
    (row,) = _rows(RDFA)
    assert (row["name"], row["price"], row["seller"], row["link"], row["sku"]) == ("A thing", "12.50", "Shop", URL, "1")


def test_too_much_markup_is_an_error_of_the_page() -> None:
    rows = PageReader(DATASET).rows(_view("<div itemscope itemtype=Product>" + "<i itemprop=name>x</i>" * 50_001))
    assert (rows.rows, rows.error) == ([], "more than 50,000 elements of the page have a property or a type")


def test_microdata_is_what_extruct_reads() -> None:
    import extruct

    judged = extruct.extract(MICRODATA, base_url=URL, syntaxes=["microdata"], uniform=True)["microdata"]
    assert [_plain(thing) for thing in microdata_objects(_view(MICRODATA))] == [_plain(thing) for thing in judged]


def test_rdfa_is_what_extruct_reads() -> None:
    import extruct

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # rdflib's
        judged = extruct.extract(RDFA, base_url=URL, syntaxes=["rdfa"])["rdfa"]
    by_id = {thing["@id"]: thing for thing in judged}
    product = by_id["https://shop.example/p/1#p"]
    (ours,) = rdfa_objects(_view(RDFA))
    for name in ("name", "sku", "url", "image"):
        assert ours[name] == next(iter(product[f"https://schema.org/{name}"][0].values())).strip()
    offer = by_id[product["https://schema.org/offers"][0]["@id"]]
    assert ours["offers"]["price"] == offer["https://schema.org/price"][0]["@value"]


def _plain(value: Any) -> Any:
    """An object as both have it: without vocabularies and white space, its types in a list."""
    if isinstance(value, dict):
        return {
            name: _plain(one if name != "@type" or isinstance(one, list) else [one]) for name, one in value.items() if name != "@context"
        }
    if isinstance(value, list):
        return [_plain(one) for one in value]
    return " ".join(value.removeprefix("https://schema.org/").split())


HOSTILE: dict[str, Callable[[int], str]] = {
    "deep": lambda size: "<div itemscope itemtype=Product>" * size + "<i itemprop=name>x",
    "nested properties": lambda size: "<div itemscope itemtype=Product><p>" + "<i itemprop=name>x" * size,
    "references in a circle": lambda size: "<div itemscope itemtype=Product itemref=a id=a itemprop=b>" * (size // 4),
    "deep properties": lambda size: "<div itemscope itemtype=Product itemprop=a>" * size,
    "many names": lambda size: '<div typeof=Product property="' + "a " * 10 * size + '">' * 2,
    "references": lambda size: _script(
        {"@graph": [{"@id": str(n), "offers": [{"@id": str(n + 1)}] * 50, "@type": "Product"} for n in range(size // 50)]}
    ),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_pages_take_linear_time(name: str) -> None:
    views = {size: _view(HOSTILE[name](size)) for size in (4_000, 16_000)}
    _ = [view.tree for view in views.values()]

    def work(size: int) -> None:
        assert PageReader(DATASET).rows(views[size]).error is None

    assert growth(work, 4_000) < 8


def test_lists_in_lists_are_read() -> None:
    assert PageReader(DATASET).rows(_view(_script(json.loads("[" * 500 + "]" * 500)))).error is None


@pytest.mark.parametrize(
    ("name", "thing", "expected"),
    [
        (
            "products",
            {
                **PRODUCT,
                "sku": None,
                "offers": {**OFFER, "priceCurrency": "EUR", "availability": "https://schema.org/InStock"},
                "image": "a.png",
            },
            {
                "product_id": URL,
                "name": "Thing",
                "price": "12.5000",
                "currency": "EUR",
                "availability": "InStock",
                "in_stock": True,
                "images": ["https://shop.example/p/a.png"],
            },
        ),
        (
            "jobs",
            {
                "@type": "JobPosting",
                "title": "Cook",
                "datePosted": "2026-03-01",
                "validThrough": "2026-04-01T00:00:00+02:00",
                "identifier": {"@type": "PropertyValue", "name": "Acme", "value": "J1"},
                "hiringOrganization": {"name": "Acme", "sameAs": "https://a.example"},
                "baseSalary": {"currency": "EUR", "value": {"minValue": 10, "maxValue": "12.5", "unitText": "HOUR"}},
                "employmentType": "FULL_TIME",
                "jobLocation": {"address": {"addressLocality": "Bonn", "addressCountry": {"name": "DE"}}},
            },
            {
                "job_id": "J1",
                "title": "Cook",
                "company": "Acme",
                "published_on": "2026-03-01",
                "valid_until": "2026-03-31T22:00:00+00:00",
                "salary_min": "10.00",
                "salary_max": "12.50",
                "salary_currency": "EUR",
                "salary_period": "HOUR",
                "city": "Bonn",
                "country": "DE",
                "employment_types": ["FULL_TIME"],
            },
        ),
        (
            "events",
            {
                "@type": "MusicEvent",
                "name": "Concert",
                "startDate": "2026-05-01T20:00+02:00",
                "location": {"name": "Hall", "address": "Street 1"},
                "eventStatus": "https://schema.org/EventScheduled",
                "performer": [{"name": "A"}, {"name": "B"}],
            },
            {
                "event_id": URL,
                "event_type": "MusicEvent",
                "starts_at": "2026-05-01T18:00:00+00:00",
                "venue": "Hall",
                "street": "Street 1",
                "status": "EventScheduled",
                "performers": ["A", "B"],
            },
        ),
        (
            "recipes",
            {
                "@type": "Recipe",
                "name": "Soup",
                "recipeIngredient": ["1 onion", "water"],
                "prepTime": "PT5M",
                "recipeYield": 4,
                "recipeInstructions": [{"@type": "HowToStep", "text": "Cut."}, {"@type": "HowToStep", "text": "Cook."}],
                "author": {"name": "A"},
            },
            {
                "recipe_id": URL,
                "name": "Soup",
                "ingredients": ["1 onion", "water"],
                "instructions": ["Cut.", "Cook."],
                "servings": "4",
                "preparation_time": "PT5M",
                "authors": ["A"],
            },
        ),
    ],
    ids=["products", "jobs", "events", "recipes"],
)
def test_ready_made_datasets_read_a_page(name: str, thing: Any, expected: dict[str, Any]) -> None:
    (row,) = PageReader(find_dataset(name, None)).rows(_view(_script(thing))).rows
    assert (row.rule, row.detail) == (None, None)
    assert {field: row.values[field] for field in expected} == expected


def _ready(name: str, html: str) -> list[Row]:
    return PageReader(find_dataset(name, None)).rows(_view(html)).rows


def test_text_of_microdata_is_written_for_people() -> None:
    html = (
        '<div itemscope itemtype="http://schema.org/Recipe"><b itemprop="name">Soup</b><ol itemprop="recipeInstructions"><li>Boil<li>Eat'
        '</ol><p itemprop="aggregateRating" itemscope itemtype="http://schema.org/AggregateRating"><i itemprop="ratingValue">4,5</i>'
        '<i itemprop="ratingCount">1.000 votes</i></p></div>'
    )
    (row,) = _ready("recipes", html)
    assert row.rule is None
    assert (row.values["instructions"], row.values["rating"], row.values["reviews"]) == (["Boil Eat"], 4.5, 1000)


@pytest.mark.parametrize(
    ("price", "expected"),
    [("1.299 €", "1299.0000"), ("CHF 1'299.-", "1299.0000"), ("Free", "0.0000"), ("10 - 20 €", "10.0000"), ("1.299", "1.2990")],
)
def test_odd_prices(price: str, expected: str) -> None:
    (row,) = _ready("products", _script({"@type": "Product", "sku": "1", "name": "Pan", "offers": {"price": price}}))
    assert (row.rule, row.values["price"]) == (None, expected)
