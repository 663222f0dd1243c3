"""The JSON Schema of a crawl file, by which editors complete keys and mark mistakes while a person writes."""

from __future__ import annotations

from typing import Any

from schemas.config.crawl import Crawl

DIALECT = "https://json-schema.org/draft/2020-12/schema"
EXTENDS = "The file with what crawls share that this one builds on, like _press for _press.yaml beside it."


def crawl_schema() -> dict[str, Any]:
    """The schema, as JSON's own types. It allows all that a file may say; some mistakes are only found when the file is read."""
    made = Crawl.model_json_schema()
    properties = {name: schema for name, schema in made["properties"].items() if name != "name"}  # a crawl is named by its file
    properties["seeds"] = {**properties["seeds"], "items": {"anyOf": [{"type": "string"}, {"$ref": "#/$defs/Seed"}]}}
    expectations = properties["expectations"]
    suite_file = {"type": "string", "description": "A suite file beside the crawl's file."}
    file_or_list = {"anyOf": [suite_file, expectations["additionalProperties"]]}
    properties["expectations"] = {**expectations, "additionalProperties": file_or_list}
    properties["extends"] = {"anyOf": [{"type": "string", "pattern": "^_[a-z0-9_]{1,39}$"}, {"type": "null"}], "description": EXTENDS}
    described = {"$schema": DIALECT, "title": "A crawl of crawlhouse", "description": "crawls/NAME.yaml", "type": "object"}
    return {**described, "properties": properties, "additionalProperties": False, "$defs": made["$defs"]}
