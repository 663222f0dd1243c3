"""What definitions may say and this release does not do is refused before a run, never passed over in silence."""

from __future__ import annotations

from pathlib import Path

import pytest

from processing.datasets.definitions import crawl_datasets
from schemas.config.crawl_file import parse_crawl
from schemas.config.settings import Settings
from schemas.errors import ConfigError

GOODS = "source: {selectors: {sku: .sku}}\nkey: sku\nfields: {sku: string}\n"
CRAWL = "seeds: [https://shop.example/]\ndatasets: [articles, goods]\n"
NOT_NULL = "[{type: expect_column_values_to_not_be_null, column: title}]"


@pytest.mark.parametrize(
    ("files", "crawl", "refused"),
    [
        ({"goods": GOODS + "steps: [my_steps:add]\n"}, CRAWL, "'goods' has 'steps', which this release does not run yet"),
        ({"goods": GOODS, "articles": f"extends: articles\nexpectations: {NOT_NULL}\n"}, CRAWL, "on 'articles' yet"),
        ({"goods": GOODS}, CRAWL + f"expectations: {{articles: {NOT_NULL}}}\n", "of a crawl on 'articles' yet"),
        ({"goods": GOODS}, CRAWL + "drift: {articles: [{measure: row_count}]}\n", "of a crawl on 'articles' yet"),
    ],
)
def test_what_is_not_done_yet_is_refused(files: dict[str, str], crawl: str, refused: str, tmp_path: Path) -> None:
    settings = Settings(home=tmp_path / "home", crawls=tmp_path / "crawls")
    settings.datasets_folder().mkdir(parents=True)
    settings.crawls.mkdir(exist_ok=True)
    (settings.crawls / "my_steps.py").write_text("def add(batch):\n    return batch\n")
    for name, text in files.items():
        (settings.datasets_folder() / f"{name}.yaml").write_text(text)
    with pytest.raises(ConfigError, match=refused):
        crawl_datasets(parse_crawl(crawl, "shop"), settings)


def test_a_plain_definition_is_taken(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path / "home", crawls=tmp_path / "crawls")
    settings.datasets_folder().mkdir(parents=True)
    (settings.datasets_folder() / "goods.yaml").write_text(GOODS)
    assert [dataset.name for dataset in crawl_datasets(parse_crawl(CRAWL, "shop"), settings)] == ["articles", "goods"]
