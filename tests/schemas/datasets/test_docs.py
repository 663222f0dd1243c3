"""The definition in docs/datasets.md is one that can be used."""

from __future__ import annotations

import re
from pathlib import Path

from processing.datasets.definition_check import check_definition
from schemas.datasets.dataset_file import read_dataset
from tests import PROJECT


def test_the_definition_in_the_docs_works(tmp_path: Path) -> None:
    blocks = re.findall(r"```yaml\n(.*?)```", (PROJECT / "docs" / "datasets.md").read_text(encoding="utf-8"), re.DOTALL)
    (definition,) = [block for block in blocks if block.startswith("description:")]
    path = tmp_path / "offers.yaml"
    path.write_text(definition, encoding="utf-8")
    check_definition(read_dataset(path), path)
