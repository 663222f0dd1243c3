"""What installed packages add: the example package in a crawl and at the command line, broken ones, and names that are taken."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pytest

from processing import stages
from processing.datasets.functions import load_function
from schemas.config.crawl import Crawl
from schemas.config.settings import Settings
from schemas.datasets.dataset_file import find_dataset, find_definition_file, parse_dataset, read_datasets
from schemas.errors import ConfigError, NotFoundError
from tests.crawlhouse.conftest import Ended, clean_environment, run_command
from tests.installedpackages import install_example, write_package
from tests.processing.crawlruns import capture, closed_run

SITE = "https://books.example.com"
REVIEW = """<html><body><h1>{thing}</h1><script type="application/ld+json">{{"@context": "https://schema.org", "@type": "Review",
"itemReviewed": {{"@type": "Book", "name": "{thing}"}}, "author": {{"@type": "Person", "name": "{reader}"}},
"reviewRating": {{"@type": "Rating", "ratingValue": {stars}}}, "reviewBody": "Read it."}}</script></body></html>"""
SHELF = "source: {selectors: {title: h1}}\nkey: [host, title]\n"
SINGLE = {"crawlhouse.datasets": {"shelf": "one"}}


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder into which the example package is installed."""
    return install_example(tmp_path_factory.mktemp("plugin"))


@pytest.fixture(autouse=True)
def _own_modules() -> Iterator[None]:
    """Modules of packages that a test imports are gone after it."""
    known = set(sys.modules)
    yield
    for name in [name for name in sys.modules if name not in known and name.partition(".")[0] in {"crawlhouse_example", "one", "two"}]:
        del sys.modules[name]


def run_with(folder: Path, *arguments: str, cwd: Path, **settings: str) -> Ended:
    """A command, with packages that are installed in a folder."""
    return run_command(*arguments, env=clean_environment(**settings) | {"PYTHONPATH": str(folder)}, cwd=cwd)


def test_the_example_package_is_listed(installed: Path, tmp_path: Path) -> None:
    helped = run_with(installed, "--help", cwd=tmp_path)
    assert (helped.code, helped.err) == (0, "")
    assert "From installed packages" in helped.out
    assert "Print the things with the most stars." in helped.out
    listed = run_with(installed, "plugins", "--format", "json", cwd=tmp_path)
    assert (listed.code, listed.err) == (0, "")
    rows = [(one["kind"], one["name"], one["package"], one["problem"]) for one in json.loads(listed.out)]
    package = "crawlhouse-example-plugin 1.0"
    assert rows == [("dataset", "reviews", package, None), ("step", "stars_as_words", package, None), ("command", "best", package, None)]


def test_its_dataset_and_its_command_in_a_crawl(
    installed: Path, sqlite_settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(installed))
    crawl = Crawl.model_validate({"name": "books", "seeds": [SITE + "/"], "datasets": ["reviews"]})
    given = [("Emma", "Ann", 5), ("Emma", "Bob", 4), ("Ulysses", "Ann", 3), ("Ulysses", "Bob", 9)]
    pages = [
        capture(f"{SITE}/{number}", REVIEW.format(thing=thing, reader=reader, stars=stars))
        for number, (thing, reader, stars) in enumerate(given)
    ]
    closed_run(sqlite_settings, crawl, "1", pages)
    report = stages.process_once("books", sqlite_settings)
    assert report is not None
    assert report.datasets["reviews"] == {"made": 4, "published": 3, "unchanged": 0, "quarantined": 1}
    assert not any(name.startswith("crawlhouse_example") for name in sys.modules)
    best = run_with(installed, "best", "--count", "5", cwd=tmp_path, home=str(sqlite_settings.home))
    assert (best.code, best.err) == (0, "")
    assert best.out == "4.5  Emma\n3.0  Ulysses\n"


def test_its_step_by_its_short_name(installed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(installed))
    text = "extends: reviews\nfields: {verdict: string}\nsteps: [stars_as_words]\n"
    dataset = parse_dataset(text, "reviews", folder=Path("/nowhere"))
    assert list(dataset.fields) == ["thing", "reader", "stars", "text", "verdict"]
    (step,) = dataset.steps
    rows = pa.RecordBatch.from_pydict({"stars": [5, 1, None], "verdict": pa.array([None] * 3, pa.string())})
    assert load_function(step.function, ())(rows)["verdict"].to_pylist() == ["excellent", "bad", None]
    assert load_function("crawlhouse_example.steps:stars_as_words", ()) is load_function(step.function, ())
    with pytest.raises(NotFoundError, match=r"No installed package has a step 'words'. There are: stars_as_words."):
        load_function("words", ())


def test_a_dataset_of_the_project_replaces_that_of_a_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    packages = write_package(tmp_path / "packages", "one", SINGLE, {"one/__init__.py": "raise OSError", "one/shelf.yaml": SHELF})
    monkeypatch.syspath_prepend(str(packages))
    assert list(find_dataset("shelf", tmp_path).fields) == ["title"]
    assert find_definition_file("shelf", tmp_path) == packages / "one" / "shelf.yaml"
    assert "shelf" in read_datasets(None)[0]
    (tmp_path / "shelf.yaml").write_text("extends: shelf\nfields: {year: integer}\n")
    assert list(find_dataset("shelf", tmp_path).fields) == ["year", "title"]
    assert "one" not in sys.modules


def test_two_packages_with_one_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("one", "two"):
        write_package(tmp_path / "packages", name, {"crawlhouse.datasets": {"shelf": name}}, {f"{name}/shelf.yaml": SHELF})
    monkeypatch.syspath_prepend(str(tmp_path / "packages"))
    with pytest.raises(ConfigError, match=r"'shelf' is in the entry points 'crawlhouse.datasets' of one 1.0 and two 1.0. Uninstall one"):
        find_dataset("shelf", tmp_path)
    (tmp_path / "shelf.yaml").write_text(SHELF)
    assert find_dataset("shelf", tmp_path).name == "shelf"
    assert list(read_datasets(None)[1]) == ["shelf"]


@pytest.mark.parametrize(
    ("target", "files", "message"),
    [
        ("one", {"one/shelf.yaml": "fields: {}"}, r"one 1.0: .*one/shelf.yaml: line 1: .*'source' must say"),
        ("one", {"one/__init__.py": ""}, r"one 1.0: its dataset 'shelf' has no file shelf.yaml in .*one"),
        ("one.two", {"one/two/shelf.yaml": SHELF, "one/two/__init__.py": ""}, None),
        ("three.four", {}, r"one 1.0: its dataset 'shelf' has no file shelf.yaml since there is no package 'three.four'"),
        ("one:shelf", {}, r"one 1.0: its entry point 'shelf' in 'crawlhouse.datasets' is 'one:shelf'. It must be a package"),
        ("../one", {}, r"It must be a package"),
    ],
)
def test_definitions_of_packages(
    target: str, files: dict[str, str], message: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    packages = write_package(tmp_path, "one", {"crawlhouse.datasets": {"shelf": target}}, files)
    monkeypatch.syspath_prepend(str(packages))
    if message is None:
        assert find_dataset("shelf", None).name == "shelf"
        return
    with pytest.raises((ConfigError, NotFoundError), match=message):
        find_dataset("shelf", None)


def test_a_package_that_breaks_costs_only_itself(tmp_path: Path) -> None:
    commands = {"bad": "one:app", "query": "one:app", "odd": "two:odd", "good": "two:good", "none": "two:none"}
    write_package(
        tmp_path / "packages",
        "one",
        {"crawlhouse.commands": commands, "crawlhouse.steps": {"bad": "one:step"}, "crawlhouse.datasets": {"products": "two"}},
        {"one.py": "import no_such_module", "two.py": "odd = 1\ndef good():\n    '''All is well.'''\n    print('well')\n"},
    )
    (tmp_path / "packages" / "torn-1.0.dist-info").mkdir()
    (tmp_path / "packages" / "torn-1.0.dist-info" / "entry_points.txt").write_text("crawlhouse.commands] = [\n")
    helped = run_with(tmp_path / "packages", "--help", cwd=tmp_path)
    assert helped.code == 0
    assert " query " in helped.out
    assert "All is well." in helped.out
    lines = helped.err.splitlines()
    assert len(lines) == 3
    assert "Error: one 1.0: 'bad' (one:app) cannot be loaded: ModuleNotFoundError: No module named 'no_such_module'." in helped.err
    assert "one 1.0: 'odd' (two:odd) cannot be loaded: TypeError: it is a int, not a typer.Typer or a function." in helped.err
    good = run_with(tmp_path / "packages", "good", cwd=tmp_path)
    assert (good.code, good.out, good.err) == (0, "well\n", "")
    bad = run_with(tmp_path / "packages", "bad", cwd=tmp_path)
    assert (bad.code, bad.out) == (2, "")
    assert len(bad.err.splitlines()) == 1
    listed = run_with(tmp_path / "packages", "plugins", cwd=tmp_path)
    assert listed.code == 2
    for problem in ("itself has a dataset 'products'", "itself has a command 'query'", "one 1.0: one cannot be imported: No module named"):
        assert problem in " ".join(listed.err.split())
    assert "Traceback" not in helped.err + bad.err + listed.err
