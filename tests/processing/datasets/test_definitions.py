"""What a crawl's datasets cannot do is named before a run, with the file and the line."""

from __future__ import annotations

from pathlib import Path

import pytest

from processing.datasets.definitions import crawl_datasets
from schemas.config.crawl_file import read_crawl
from schemas.config.settings import Settings
from schemas.errors import ConfigError

GOODS = "source: {selectors: {sku: .sku}}\nkey: sku\nfields: {sku: string}\n"
ARTICLES = "extends: articles\nfields: {topic: string}\n"
CRAWL = "seeds: [https://shop.example/]\ndatasets: [articles, goods]\n"


def project(tmp_path: Path, crawl: str, **files: str) -> Settings:
    """A project with a crawl, datasets and a module of steps, which each test has under another name."""
    settings = Settings(home=tmp_path / "home", crawls=tmp_path / "crawls")
    settings.datasets_folder().mkdir(parents=True)
    settings.crawls.mkdir()
    (settings.crawls / "shop.yaml").write_text(crawl)
    (settings.crawls / f"steps_{tmp_path.name}.py").write_text("def add(batch):\n    return batch\n\n\nTOPICS = []\n")
    for name, text in files.items():
        (settings.datasets_folder() / f"{name}.yaml").write_text(text.replace("MODULE", f"steps_{tmp_path.name}"))
    return settings


@pytest.mark.parametrize(
    ("files", "crawl", "message"),
    [
        ({"goods": GOODS + "steps:\n  - MODULE:add\n  - MODULE:none\n"}, CRAWL, r"goods.yaml: line 6: steps.1.step: .* has no function"),
        ({"goods": GOODS + "steps:\n  - {step: no_such_steps:add}\n"}, CRAWL, "line 5: steps.0.step: There is no module 'no_such_steps'"),
        ({"goods": GOODS + "steps: [MODULE:TOPICS]\n"}, CRAWL, r"line 4: steps.0.step: .*:TOPICS is no function, but a list"),
        ({"goods": GOODS, "articles": ARTICLES + "steps: [MODULE:none]\n"}, CRAWL, r"articles.yaml: line 3: steps.0.step: The module"),
        (
            {"goods": GOODS, "articles": "extends: articles\nfields:\n  n: {type: integer, default: many}\n"},
            CRAWL,
            "articles.yaml: line 3: fields.n.default: 'many' is",
        ),
        (
            {"goods": GOODS, "articles": ARTICLES + "expectations:\n  - {type: expect_column_values_to_not_be_null, column: topc}\n"},
            CRAWL,
            r"articles.yaml: line 4: expectations.0: .* names the column 'topc', which is none; did you mean 'topic'\?",
        ),
        (
            {"goods": GOODS, "articles": ARTICLES + "drift:\n  - {measure: mean, column: topic}\n"},
            CRAWL,
            r"articles.yaml: line 4: drift.0: only numbers have a mean",
        ),
        (
            {"goods": GOODS},
            CRAWL + "expectations:\n  articles: [{type: expect_column_values_to_not_be_null, column: titel}]\n",
            r"shop.yaml: line 4: expectations.articles.0: .* names the column 'titel', which is none; did you mean 'title'\?",
        ),
        (
            {"goods": GOODS},
            CRAWL + "expectations:\n  goods:\n    - {type: expect_column_values_to_not_be_null, column: prize}\n",
            r"shop.yaml: line 5: expectations.goods.0: .* names the column 'prize', which is none",
        ),
    ],
)  # fmt: skip
def test_what_cannot_work_is_named(files: dict[str, str], crawl: str, message: str, tmp_path: Path) -> None:
    settings = project(tmp_path, crawl, **files)
    with pytest.raises(ConfigError, match=message):
        crawl_datasets(read_crawl(settings.crawls / "shop.yaml"), settings)


def test_the_code_of_steps_belongs_to_a_definition(tmp_path: Path) -> None:
    settings = project(tmp_path, CRAWL, goods=GOODS + "steps: [MODULE:add, 'json:loads']\n", articles=ARTICLES)
    crawl = read_crawl(settings.crawls / "shop.yaml")
    articles, goods = crawl_datasets(crawl, settings)
    assert (articles.name, list(articles.fields), articles.code) == ("articles", ["topic"], {})
    assert sorted(goods.code) == ["json:loads", f"steps_{tmp_path.name}:add"]
    module = settings.crawls / f"steps_{tmp_path.name}.py"
    module.write_text("# explained\n" + module.read_text())
    assert crawl_datasets(crawl, settings)[1].digest() == goods.digest()
    module.write_text(module.read_text().replace("return batch", "return batch.slice(0)"))
    assert crawl_datasets(crawl, settings)[1].digest() != goods.digest()
