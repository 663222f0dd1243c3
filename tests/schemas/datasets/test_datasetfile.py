"""A dataset's YAML: what is accepted, and errors that name the line, the key and what is allowed."""

import json
from pathlib import Path

import pytest

from schemas.config.settings import Settings
from schemas.datasets.dataset import Dataset
from schemas.datasets.dataset_file import find_dataset, parse_dataset, read_dataset, read_datasets, ready_names
from schemas.errors import ConfigError, NotFoundError

PRODUCTS = """
description: What the shops ask for their goods.
source: {items: true}
match: ['/p/']
key: [host, sku]
fields:
  sku:      {type: string, description: The shop's own number.}
  price:    {type: 'decimal(12,2)', unit: currency}
  currency: string
  in_stock: {type: boolean}
  note:
steps: [my_steps:add_category]
expectations:
  - {type: expect_column_values_to_be_between, column: price, min_value: 0, strict_min: true, severity: warning}
  - {type: expect_column_values_to_be_in_set, kwargs: {column: currency, value_set: [EUR, USD]}}
drift:
  - {measure: mean, column: price, tolerance: 0.2}
"""
LITTLE = "source: {items: true}\nkey: sku\nfields: {sku: string}\n"


def test_a_dataset() -> None:
    dataset = parse_dataset(PRODUCTS, "products")
    assert dataset.key == ("host", "sku")
    assert dataset.history == "changes"
    assert {name: field.type for name, field in dataset.fields.items()} == {
        "sku": "string", "price": "decimal(12,2)", "currency": "string", "in_stock": "boolean", "note": "string",
    }  # fmt: skip
    assert dataset.expectations[0].kwargs == {"column": "price", "min_value": 0, "strict_min": True}
    assert [one.severity for one in dataset.expectations] == ["warning", "critical"]
    assert dataset.expectations[1].columns() == ["currency"]
    assert dataset.steps[0].step == "my_steps:add_category"
    assert dataset.compared_fields() == ("price", "currency", "in_stock", "note")


def test_selectors_declare_their_fields() -> None:
    selectors = "    sku: .sku\n    price: {css: .price, attr: content, type: 'decimal(12,2)'}\n    name: h1\n"
    dataset = parse_dataset(f"source:\n  selectors:\n{selectors}  each: li.p\nkey: sku\n", "products")
    assert dataset.source is not None
    assert dataset.source.selectors is not None
    assert {name: field.type for name, field in dataset.fields.items()} == {"sku": "string", "price": "decimal(12,2)", "name": "string"}
    assert dataset.source.selectors["name"].css == "h1"
    assert dataset.source.each is not None
    assert dataset.source.each.css == "li.p"
    assert dataset.source.reads_pages


def test_structured_data_by_full_and_short_names() -> None:
    text = (
        "source: {structured_data: 'https://schema.org/Product', map: {price: offers.price}}\nkey: [sku]\nfields: {sku: , price: float}\n"
    )
    source = parse_dataset(text, "products").source
    assert source is not None
    assert (source.structured_data, source.map) == (("Product",), {"price": ("offers.price",)})


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is empty, but must be a mapping"),
        ("key: [sku]\nfields: {sku: string}\n", "'source' must say where rows come from"),
        ("source: {items: true}\nfields: {sku: string}\n", "'key' must name the fields"),
        (LITTLE + "fileds: {}\n", "line 4: unknown key 'fileds': did you mean 'fields'?"),
        (
            "source: {items: true}\nkey: [sku]\nfields:\n  sku: {tpye: string}\n",
            "line 4: unknown key 'fields.sku.tpye': did you mean 'type'?",
        ),
        (
            "source: {items: true}\nkey: [sku]\nfields:\n  sku: {type: text}\n",
            "line 4: fields.sku.type: 'text' is not a type; allowed are string",
        ),
        (
            "source: {items: true}\nkey: [skuu]\nfields: {sku: string}\n",
            "line 2: key.0: 'skuu' is not a field; did you mean 'sku'? there are host, sku, url",
        ),
        (
            "source: {items: true}\nkey: [a]\nfields: {a: 'list<string>'}\n",
            "line 2: key.0: 'a' is a list<string>: a key is made of plain values",
        ),
        ("source: {items: true}\nkey: [a]\nfields: {a: string, A: string}\n", "two fields differ in upper and lower case only"),
        ("source: {items: true}\nkey: [a]\nfields: {a: string, crawl_run: string}\n", "line 3: fields.crawl_run"),
        ("source: {items: true}\nkey: [a]\nfields: {a: string, version: string}\n", "'version' is taken"),
        (
            LITTLE + "expectations:\n  - {type: expect_column_values_to_not_be_null, column: prize}\n",
            "line 5: expectations.0: 'prize' is not",
        ),
        (
            "extends: products\nexpectations:\n  - {type: expect_column_values_to_not_be_null, column: prize}\n",
            "line 3: expectations.0: 'prize' is not",
        ),
        (LITTLE + "expectations:\n  - {type: not_null, column: sku}\n", "line 5: expectations.0.type: 'not_null' is not an expectation"),
        (LITTLE + "expectations:\n  - {type: expect_x, severity: bad}\n", "line 5: expectations.0.severity: Input should be 'critical'"),
        (LITTLE + "drift:\n  - {measure: mean}\n", "needs a 'column'"),
        (LITTLE + "steps: [add it]\n", "line 4: steps.0.step: 'add it' names no step"),
        ("source: {items: true, function: 'a:b'}\nkey: [a]\nfields: {a: }\n", "line 1: source: a source is one of items"),
        ("source: {items: 'a b'}\nkey: [a]\nfields: {a: }\n", "names no class of items"),
        ("source: {structured_data: product}\nkey: [a]\nfields: {a: }\n", "'product' is not a type of schema.org"),
        ("source: {structured_data: Product, map: {a: 'x..y'}}\nkey: [a]\nfields: {a: }\n", "'x..y' is not a path to a property"),
        ("source: {structured_data: Product, map: {b: x}}\nkey: [a]\nfields: {a: }\n", "line 1: source: 'b' is not a field"),
        ("source: {selectors: {a: //p}, each: li}\nkey: [a]\n", "with 'each', all selectors are CSS or all are XPath"),
        ("source: {selectors: {a: {css: p, xpath: //p}}}\nkey: [a]\n", "'css' and 'xpath' both say"),
        ("source: {selectors: {a: {regex: '('}}}\nkey: [a]\n", "is not a regular expression"),
        (
            "source: {selectors: {a: {css: p, type: date}}}\nkey: [a]\nfields: {a: string}\n",
            "the type of 'a' is string in 'fields' and date",
        ),
        (LITTLE + "extends: nothing\n", "there is no dataset 'nothing'. Ready-made are events, jobs, pages, products, recipes"),
        (LITTLE + "extends: articles\n", "only articles.yaml can extend 'articles'"),
        (LITTLE + "history: never\n", "line 4: history: Input should be 'changes', 'observations' or 'latest'"),
        (LITTLE + "name: other\n", "line 4: a dataset is named by its file, 'mine'"),
        (LITTLE + "expectations: ../suite.json\n", "line 4: expectations: '../suite.json' is not a suite file"),
    ],
)
def test_a_mistake_is_named(text: str, message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_dataset(text, "mine", "mine.yaml")
    assert message in str(caught.value)
    assert "mine.yaml" in str(caught.value)


@pytest.mark.parametrize("name", ["runs", "captures", "quarantine", "sightings", "articles_latest", "products_latest", "select", "order"])
def test_a_name_that_is_taken_is_refused(name: str) -> None:
    with pytest.raises(ConfigError, match=r"taken|keyword"):
        parse_dataset(LITTLE, name)


@pytest.mark.parametrize("name", ["Products", "1st", "a-b", "x" * 41, ""])
def test_a_name_that_no_table_can_have_is_refused(name: str) -> None:
    with pytest.raises(ConfigError, match="names no dataset"):
        parse_dataset(LITTLE, name)


def test_a_file_and_its_suite(tmp_path: Path) -> None:
    suite = {
        "name": "x",
        "expectations": [{"type": "expect_column_values_to_not_be_null", "kwargs": {"column": "sku"}, "meta": {}, "id": "1"}],
    }
    (tmp_path / "suite.json").write_text(json.dumps(suite))
    (tmp_path / "goods.yaml").write_text(LITTLE + "expectations: suite.json\n")
    assert read_dataset(tmp_path / "goods.yaml").expectations[0].columns() == ["sku"]
    (tmp_path / "suite.json").write_text("{")
    with pytest.raises(ConfigError, match=r"line 4: expectations: suite.json is not JSON"):
        read_dataset(tmp_path / "goods.yaml")


def test_a_definition_extends_another(tmp_path: Path) -> None:
    (tmp_path / "products.yaml").write_text(
        "extends: products\nfields: {colour: string}\nexpectations:\n- {type: expect_column_values_to_not_be_null, column: colour}\n"
    )
    (tmp_path / "shoes.yaml").write_text("extends: products\ndescription: Shoes.\nhistory: observations\n")
    ready, products = find_dataset("products", None), find_dataset("products", tmp_path)
    assert list(products.fields) == [*ready.fields, "colour"]
    assert len(products.expectations) == len(ready.expectations) + 1
    shoes = find_dataset("shoes", tmp_path)  # which extends the folder's own products
    assert (shoes.description, shoes.history) == ("Shoes.", "observations")
    assert list(shoes.fields) == list(products.fields)


def test_a_source_keeps_what_it_does_not_replace(tmp_path: Path) -> None:
    (tmp_path / "products.yaml").write_text("extends: products\nsource: {map: {price: offers.lowPrice}}\n")
    (tmp_path / "other.yaml").write_text("extends: products\nsource: {items: true}\n")
    source = find_dataset("products", tmp_path).source
    assert source is not None
    assert (source.map["price"], source.map["brand"]) == (("offers.lowPrice",), ("brand", "manufacturer"))
    other = find_dataset("other", tmp_path).source
    assert other is not None
    assert other.kind == "items"


def test_definitions_that_extend_each_other_have_an_end(tmp_path: Path) -> None:
    (tmp_path / "one.yaml").write_text("extends: two\n")
    (tmp_path / "two.yaml").write_text("extends: one\n")
    with pytest.raises(ConfigError, match="more than 5 datasets extend one another"):
        read_dataset(tmp_path / "one.yaml")


def test_articles_may_get_fields_and_steps(tmp_path: Path) -> None:
    (tmp_path / "articles.yaml").write_text("extends: articles\nfields: {topic: string}\nsteps: [topics:add]\n")
    found = find_dataset("articles", tmp_path)
    assert (list(found.fields), found.steps[0].step, found.steps[0].on_error) == (["topic"], "topics:add", "fail")
    (tmp_path / "articles.yaml").write_text("extends: articles\nsteps: [{step: topics:add, on_error: quarantine}]\n")
    assert find_dataset("articles", tmp_path).steps[0].on_error == "quarantine"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("extends: articles\nkey: [url]\n", "line 2: key: the key of 'articles' is fixed"),
        ("extends: articles\nhistory: changes\n", "line 2: history: the history of 'articles' is fixed"),
        ("extends: articles\nsource: {items: true}\n", "line 2: source: the source of 'articles' is fixed"),
        ("extends: articles\nfields:\n  topic: string\n  Title: string\n", "line 4: fields.Title: 'articles' has this column already"),
        ("fields: {topic: string}\n", "line 1: extends: write `extends: articles`"),
        ("extends: products\nfields: {topic: string}\n", "line 1: extends: write `extends: articles`"),
        ("extends: articles\nkye: [url]\n", "line 2: unknown key 'kye'"),
        ("extends: articles\nsteps: [{step: a:b, on_error: ignore}]\n", "steps.0.on_error: Input should be 'fail' or 'quarantine'"),
    ],
)
def test_nothing_else_of_articles_may_change(text: str, message: str, tmp_path: Path) -> None:
    (tmp_path / "articles.yaml").write_text(text)
    with pytest.raises(ConfigError) as caught:
        find_dataset("articles", tmp_path)
    assert message in str(caught.value)


def test_the_digests_of_functions_are_never_in_a_file() -> None:
    with pytest.raises(ConfigError, match="line 4: unknown key 'code'"):
        parse_dataset(LITTLE + "code: {}\n", "mine")
    with pytest.raises(ConfigError) as caught:
        parse_dataset(LITTLE + "fileds: {}\n", "mine")
    assert "code" not in str(caught.value)
    coded = parse_dataset(LITTLE, "mine").model_copy(update={"code": {"steps:add": "1"}})
    assert Dataset.model_validate_json(coded.model_dump_json()) == coded
    assert coded.digest() != parse_dataset(LITTLE, "mine").digest()


def test_all_datasets_and_the_broken_ones(tmp_path: Path) -> None:
    (tmp_path / "goods.yaml").write_text(LITTLE)
    (tmp_path / "runs.yaml").write_text(LITTLE)
    (tmp_path / "old.yml").write_text(LITTLE)
    datasets, broken = read_datasets(tmp_path)
    assert sorted(datasets) == sorted(["articles", "goods", *ready_names()])
    assert sorted(broken) == ["old", "runs"]
    assert sorted(read_datasets(tmp_path / "missing")[0]) == sorted(["articles", *ready_names()])


def test_a_name_that_is_not_there(tmp_path: Path) -> None:
    (tmp_path / "goods.yaml").write_text(LITTLE)
    with pytest.raises(NotFoundError, match="Did you mean 'goods'"):
        find_dataset("good", tmp_path)


def test_the_folder_is_beside_the_crawls(tmp_path: Path) -> None:
    assert Settings(home=tmp_path, crawls=tmp_path / "crawls").datasets_folder() == tmp_path / "datasets"
    assert Settings(home=tmp_path, crawls=tmp_path / "crawls", datasets=str(tmp_path / "other")).datasets_folder() == tmp_path / "other"


def test_the_digest_is_of_what_makes_the_rows() -> None:
    digest = parse_dataset(PRODUCTS, "products").digest()
    assert digest == "827124f9be54b340f0ecdaea933652bd"  # a release that changes it makes all rows anew
    assert parse_dataset(PRODUCTS.replace("What the shops ask", "What they ask"), "products").digest() == digest
    assert parse_dataset(PRODUCTS.replace("The shop's own number", "A number"), "products").digest() == digest
    assert parse_dataset(PRODUCTS.replace("min_value: 0", "min_value: 1"), "products").digest() == digest
    assert parse_dataset(PRODUCTS.replace("'decimal(12,2)'", "'decimal( 12, 2 )'"), "products").digest() == digest
    assert parse_dataset(PRODUCTS.replace("/p/", "/q/"), "products").digest() != digest
    assert parse_dataset(PRODUCTS.replace("boolean", "string"), "products").digest() != digest
    rules = parse_dataset(PRODUCTS, "products").rules_digest()
    assert parse_dataset(PRODUCTS.replace("min_value: 0", "min_value: 1"), "products").rules_digest() != rules
    assert parse_dataset(PRODUCTS.replace("/p/", "/q/"), "products").rules_digest() == rules


def test_a_definition_has_a_json_schema() -> None:
    schema = Dataset.model_json_schema()
    assert set(schema["properties"]) >= {"source", "key", "fields", "expectations"}
    assert schema["additionalProperties"] is False


def test_a_definition_survives_json() -> None:
    dataset = parse_dataset(PRODUCTS, "products")
    assert Dataset.model_validate_json(dataset.model_dump_json()) == dataset


def test_which_items_are_rows() -> None:
    every, some = parse_dataset(LITTLE, "mine"), parse_dataset(LITTLE.replace("true", "'shop.items:Product'"), "mine")
    assert [every.takes_item(name) for name in ("Product", None)] == [True, True]
    assert [some.takes_item(name) for name in ("Product", "Offer", None)] == [True, False, False]
    assert not find_dataset("products", None).takes_item("Product")


def test_fields_of_an_items_class() -> None:
    dataset = parse_dataset("source: {items: Product}\nkey: [sku]\n", "mine")
    typed = dataset.with_fields({"sku": "string", "price": "decimal(12,2)", "url": "string", "version": "string", "tags": "list<string>"})
    assert {name: field.type for name, field in typed.fields.items()} == {"sku": "string", "price": "decimal(12,2)", "tags": "list<string>"}
    declared = parse_dataset(LITTLE.replace("sku: string", "sku: integer"), "mine").with_fields({"sku": "string"})
    assert declared.fields["sku"].type == "integer"
    assert dataset.with_fields({"name": "string"}).unknown_columns()[0][0] == ("key", 0)
    partly = parse_dataset("source: {items: Product}\nkey: [sku]\nfields: {price: 'decimal(12,2)'}\n", "mine")
    assert partly.with_fields({"sku": "string", "price": "float"}).fields["price"].type == "decimal(12,2)"


def test_a_file_that_is_not_utf8_is_named_with_its_line(tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_bytes("source: {items: true}\nkey: [sku]\ndescription: Käse\n".encode("latin-1"))
    with pytest.raises(ConfigError, match=r"mine.yaml: line 3: the file is not text in UTF-8. Save it as UTF-8"):
        read_dataset(tmp_path / "mine.yaml")
