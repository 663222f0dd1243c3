"""A crawl's YAML: what is accepted, and errors that name the line, the key and what is allowed."""

from pathlib import Path

import pytest

from crawlhouse.output.crawl import describe_crawl
from schemas.config.crawl import Crawl
from schemas.config.crawl_file import find_crawl, parse_crawl, read_crawls
from schemas.errors import ConfigError, NotFoundError
from schemas.yaml_files.bounds import PINNED


def test_a_plain_crawl() -> None:
    crawl = parse_crawl("seeds: [http://Example.com:8080/x]\nschedule: '0 */6 * * *'\n", "news")
    assert crawl.name == "news"
    assert crawl.hosts() == ("example.com:8080",)


def test_the_former_key_of_a_dataset_is_still_read() -> None:
    assert parse_crawl("seeds: [https://a.example/]\ndataset: articles\n", "news").datasets == ("articles",)
    assert parse_crawl("seeds: [https://a.example/]\ndatasets: [articles, jobs]\n", "news").datasets == ("articles", "jobs")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("seeds: [https://a.example/]\npolitness: {}\n", "line 2: unknown key 'politness': did you mean 'politeness'?"),
        ("seeds: [https://a.example/]\npoliteness:\n  dealy: 3\n", "line 3: unknown key 'politeness.dealy': did you mean 'delay'?"),
        ("seeds:\n  - https://a.example/\n  - ftp://b.example/\n", "line 3: seeds.1.url: 'ftp://b.example/' is not an absolute http"),
        ("seeds:\n  - https://me:secret@a.example/\n", "line 2: seeds.0.url: a seed must have no user name or password"),
        ("seeds: [https://a.example/]\nscope: {hosts: ['b.example:99999']}\n", "line 2: scope.hosts.0: Port out of range"),
        ("seeds: [https://a.example/]\nschedule: 61 * * * *\n", "line 2: schedule: '61 * * * *' is not a cron expression"),
        ("seeds: [https://a.example/\n", "is not YAML"),
        ("seeds:\n\t- https://a.example/\n", "found character that cannot start any token in line 2, column 1"),
        ("- https://a.example/\n", "must be a mapping"),
        (
            "seeds: [https://a.example/]\ndatasets: [articles, runs]\n",
            "line 2: datasets.1: the name 'runs' is taken by a table of the lake",
        ),
        ("seeds: [https://a.example/]\ndatasets: [jobs, jobs]\n", "'datasets' names one dataset or more, each once"),
    ],
)
def test_a_mistake_is_named_with_its_line(text: str, message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_crawl(text, "news", "news.yaml")
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is empty, but must be a mapping with at least 'seeds:'"),
        ("description: nothing to begin with\n", "'seeds' needs at least one URL"),
        ("seeds: [https://a.example/]\nworkers: 2\nseeds: [https://b.example/]\n", "line 3: 'seeds' is in line 1 already"),
        (
            "seeds: [https://a.example/]\nscope:\n  hosts: [https://a.example/news]\n",
            "line 3: scope.hosts.0: 'https://a.example/news' is not a host",
        ),
        ("seeds: [https://a.example/]\nscope: {include: ['(']}\n", "line 2: scope.include.0: '(' is not a regular expression"),
        (
            "seeds: [https://a.example/]\narticles:\n  languages: [de, no]\n",
            "line 3: articles.languages.1: YAML reads this as False; put it in quotes",
        ),
        ("seeds: [https://a.example/]\ndatasets: no\n", "line 2: datasets: YAML reads this as False; put it in quotes"),
        ("seeds: [https://a.example/]\nbudgets: 5\n", "line 2: budgets: this must be a mapping, like {a: b}"),
        (
            "seeds: [https://a.example/]\narticles:\n  min_length: 9\n  max_length: 3\n",
            "line 2: articles: min_length 9 is more than max_length 3",
        ),
        ("seeds: [https://a.example/]\nrevisit:\n  feeds_min: 200\n", "line 2: revisit: feeds_min 200 is more than feeds_max 168"),
        ("seeds: [https://a.example/]\nnetwork:\n  allow: [localhost]\n", "line 3: network.allow.0"),
        ("seeds: [https://a.example/]\nspider: spdier\n", "line 2: spider: 'spdier' is not a spider: site, or a class of your own"),
        ("spider: a:B\n", "'scope.hosts' must say where the spider may go, or 'seeds' where it starts"),
        (
            "seeds: [https://a.example/]\nnetwork:\n  proxy: http://me:hunter2@proxy:3128\n",
            "line 3: network.proxy: a proxy's URL must have no user name or password, because it is stored and shown",
        ),
        (
            "seeds: [https://a.example/]\nnetwork:\n  proxy: http://proxy:hunter2\n",
            "line 3: network.proxy: the host or the port is not valid",
        ),
        ("seeds: [https://a.example/]\nnetwork:\n  proxy: socks5://proxy\n", "line 3: network.proxy: a proxy is http://HOST:PORT"),
        ("seeds: [https://a.example/]\nnetwork:\n  proxy_secret: x\n", "'proxy_secret' is for a proxy"),
        ("seeds: ['https://me:hunter2@a.example:x/']\n", "line 1: seeds.0.url: the host or the port is not valid"),
        ("seeds: ['https://me:hunter2@a.example/']\n", "a seed must have no user name or password"),
        ("seeds: ['ftp://a.example:hunter2/']\n", "the host or the port is not valid"),
        (
            "seeds: [https://a.example/]\ncredentials:\n  - {origin: a.example, secret: members}\n",
            "line 3: credentials.0.origin: 'a.example' is not an origin, like https://members.example.com",
        ),
        (
            "seeds: [https://a.example/]\ncredentials:\n- {origin: http://a.test, secret: a}\n- {origin: 'http://A.test:80', secret: b}",
            "'credentials' has an origin twice",
        ),
        ("seeds: [https://a.example/]\nname: other\n", "line 2: a crawl is named by its file"),
    ],
)
def test_what_would_be_misread_in_silence_is_an_error(text: str, message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_crawl(text, "news", "news.yaml")
    assert message in str(caught.value)


def test_all_mistakes_of_a_file_are_told_at_once() -> None:
    with pytest.raises(ConfigError) as caught:
        parse_crawl("seeds: [nowhere]\nworkers: 0\npause: true\n", "news", "news.yaml")
    assert [line.split(": ")[1] for line in str(caught.value).splitlines()] == ["line 1", "line 2", "line 3"]


def test_an_alias_is_no_double() -> None:
    text = "seeds: [https://a.example/]\nscope:\n  include: &paths ['^/news']\n  exclude: *paths\n"
    assert parse_crawl(text, "news").scope.exclude == ("^/news",)


def test_broken_files_stand_beside_good_ones(tmp_path: Path) -> None:
    (tmp_path / "good.yaml").write_text("seeds: [https://a.example/]\n")
    (tmp_path / "broken.yaml").write_text("seeds: {\n")
    (tmp_path / "Wrong-Name.yaml").write_text("seeds: [https://a.example/]\n")
    (tmp_path / "binary.yaml").write_bytes(b"\xff\xfe\x00seeds")
    (tmp_path / "other.yml").write_text("seeds: [https://a.example/]\n")
    (tmp_path / "notes.txt").write_text("not a crawl")
    crawls, broken = read_crawls(tmp_path)
    assert set(crawls) == {"good"}
    assert set(broken) == {"broken", "Wrong-Name", "binary", "other"}
    assert "rename it to other.yaml" in str(broken["other"])


def test_no_folder_is_no_crawls(tmp_path: Path) -> None:
    assert read_crawls(tmp_path / "none") == ({}, {})


def test_a_crawl_is_found_by_name_and_by_path(tmp_path: Path) -> None:
    path = tmp_path / "my_news.yaml"
    path.write_text("\ufeffseeds: [https://a.example/]\n", encoding="utf-8")
    assert find_crawl("my_news", tmp_path) == find_crawl(str(path), tmp_path / "elsewhere")


def test_a_crawl_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="holds no crawl file"):
        find_crawl("news", tmp_path)
    (tmp_path / "news.yaml").write_text("seeds: [https://a.example/]\n")
    with pytest.raises(NotFoundError, match="Did you mean 'news'"):
        find_crawl("nwes", tmp_path)
    with pytest.raises(NotFoundError, match="There is no crawl file"):
        find_crawl("./nwes.yaml", tmp_path)


def test_with_an_own_spider_nothing_else_is_followed_unless_the_file_says_so() -> None:
    own = parse_crawl("spider: shop:Shop\nscope: {hosts: [a.example], feeds: true}\n", "shop")
    assert (own.scope.follow_links, own.scope.sitemaps, own.scope.feeds) == (False, False, True)
    assert own.hosts() == ("a.example",)
    assert Crawl.model_validate_json(own.model_dump_json()) == own


def test_a_run_that_an_earlier_release_planned_still_opens() -> None:
    stored = Crawl.model_validate_json(
        '{"name": "a", "seeds": ["https://a.example/"], "network": {"proxy": "http://me:hunter2@proxy:3128/x"}}', context=PINNED
    )
    assert stored.network.proxy == "http://me:hunter2@proxy:3128/x"
    assert "hunter2" not in str(describe_crawl(stored))
