"""The dataset `pages`: every page with its type and text, Markdown, chunks and comments on request, PDF documents beside them."""

from __future__ import annotations

import dataclasses

from processing import stages
from schemas.capture import Capture
from schemas.config.crawl import Crawl
from schemas.config.settings import Settings
from tests.processing.crawlruns import article, capture, closed_run, html, prose
from tests.processing.pdfs import pdf
from tests.processing.test_datasets import rows

SITE = "https://valley.example.com"
CRAWL = Crawl.model_validate(
    {
        "name": "valley",
        "seeds": [SITE + "/"],
        "datasets": ["articles", "pages"],
        "scope": {"keep_types": ["application/pdf"]},
        "articles": {"markdown": True, "chunks": 400},
        "pages": {"markdown": True, "chunks": 400, "comments": True},
    }
)


def post(number: int, author: str, text: str) -> str:
    return (
        f"<div class='post topic-post' id='post-{number}'><div class='post-header'><span class='username'>{author}</span> "
        f"<time datetime='2026-02-0{number}T10:00:00Z'>{number} days ago</time></div><div class='post-content'><p>{text}</p></div>"
        "<div class='post-controls'><a href='#'>Reply</a> <a href='#'>Share</a></div></div>"
    )


FORUM = (
    "<html lang=en><head><title>Which wheel turns best? - Millers' forum</title></head><body class='forum'>"
    "<header><nav><a href=/>Home</a> <a href=/login>Log in</a></nav></header><div class='topic-list posts'><h1>Which wheel turns best?</h1>"
    + post(1, "ada", "I have an old wheel of oak, and a newer one of iron. Which one would you take for a small river in the mountains?")
    + post(2, "bo", "Oak lasts for forty years if it never gets dry. Ours has turned since the spring of ninety-two without a repair.")
    + post(3, "cy", "Iron is louder, but it never rots. Ask your neighbours first, and then your carpenter, and only then the council.")
    + "</div><footer>© 2026 Millers' forum. All rights reserved. <a href=/privacy>Privacy policy</a></footer></body></html>"
)
LINES = [f"This is line {number} of the report on the mill, and it is long enough to be text." for number in range(9)]


def binary(url: str, body: bytes, mime: str = "application/pdf") -> Capture:
    return dataclasses.replace(capture(url, "", mime=mime), body=body)


def test_every_page_is_a_row(sqlite_settings: Settings) -> None:
    table = "<table><tr><th>Year</th><th>Days</th></tr><tr><td>2024</td><td>200</td></tr></table>"
    story = html("Story of a mill", [*prose(1), "The <a href='/council'>council</a> pays <b>half</b>.", *prose(2)]).replace(
        "</article>", f"{table}</article>"
    )
    captures = [
        capture(f"{SITE}/news/2026/story-of-a-mill", story),
        capture(f"{SITE}/forum/t/which-wheel/12", FORUM, 1),
        capture(f"{SITE}/empty", "<html><head><title>Loading</title></head><body><div id=app></div></body></html>", 2),
        binary(f"{SITE}/report.pdf", pdf([LINES], "Report of the mill", "Ada Marsh")),
        binary(f"{SITE}/locked.pdf", b"%PDF-1.7\nnothing that can be read"),
        binary(f"{SITE}/picture.png", b"\x89PNG\r\n", "image/png"),
    ]
    closed_run(sqlite_settings, CRAWL, "1", captures)
    report = stages.process_once("valley", sqlite_settings)
    assert report is not None
    assert report.datasets["pages"] == {"made": 4, "published": 4, "unchanged": 0, "quarantined": 0}
    found = dict(rows(sqlite_settings, "SELECT split_part(url, '.com', 2), (page_type, title, media_type) FROM pages"))
    assert found["/report.pdf"] == ("document", "Report of the mill", "application/pdf")
    assert found["/forum/t/which-wheel/12"][0] == "forum"
    assert found["/news/2026/story-of-a-mill"] == ("article", "Story of a mill", "text/html")
    outcomes = rows(
        sqlite_settings,
        "SELECT split_part(url, '.com', 2), [(o.outcome, o.reason, o.rows) FOR o IN outcomes IF o.dataset = 'pages'][1] FROM captures",
    )
    assert dict(outcomes)["/locked.pdf"][:2] == ("rejected", "dataset_error")
    assert dict(outcomes)["/picture.png"] == ("rejected", "not_html", 0)

    ((markdown, chunks, text),) = rows(sqlite_settings, "SELECT markdown, chunks, text FROM articles")
    assert "The [council](https://valley.example.com/council) pays **half**." in markdown
    assert "| Year | Days |\n| --- | --- |\n| 2024 | 200 |" in markdown
    assert all(len(chunk["text"]) <= 400 for chunk in chunks)
    assert [chunk["position"] for chunk in chunks] == list(range(len(chunks)))
    assert rows(sqlite_settings, "SELECT markdown, text FROM pages WHERE page_type = 'article'") == [(markdown, text)]

    ((body, comments, language, words),) = rows(
        sqlite_settings, "SELECT text, comments, language, word_count FROM pages WHERE page_type = 'forum'"
    )
    assert all(part in body for part in ("an old wheel of oak", "Oak lasts for forty years", "Iron is louder"))
    assert "All rights reserved" not in body
    assert [(one["author"], one["published_at"].day, one["level"]) for one in comments] == [("ada", 1, 0), ("bo", 2, 0), ("cy", 3, 0)]
    assert comments[2]["text"].startswith("Iron is louder")
    assert (language, words) == ("en", len(body.replace("-", " ").split())) or words > 50
    ((document, authors),) = rows(sqlite_settings, "SELECT text, authors FROM pages WHERE page_type = 'document'")
    assert document.count("of the report on the mill") == len(LINES)
    assert authors == ["Ada Marsh"]


def test_a_second_visit_makes_a_version_only_of_what_changed(sqlite_settings: Settings) -> None:
    plain = Crawl.model_validate({"name": "valley", "seeds": [SITE + "/"], "datasets": ["pages"]})
    closed_run(sqlite_settings, plain, "1", [capture(f"{SITE}/t/1", FORUM), article(f"{SITE}/news/a", 3)])
    stages.process_once("valley", sqlite_settings)
    more = FORUM.replace(
        "</div><footer>",
        post(4, "di", "We took the iron one in the end, and nobody in the village sleeps any more at night.") + "</div><footer>",
    )
    closed_run(sqlite_settings, plain, "2", [capture(f"{SITE}/t/1", more, 60), article(f"{SITE}/news/a", 3, 60)])
    report = stages.process_once("valley", sqlite_settings)
    assert report is not None
    assert report.datasets["pages"]["published"] == 1
    assert rows(
        sqlite_settings, "SELECT version, changed, markdown, chunks, comments FROM pages WHERE url LIKE '%/t/1' ORDER BY version"
    ) == [
        (1, [], None, [], []),
        (2, ["text"], None, [], []),
    ]
