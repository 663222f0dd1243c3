"""The pages of one site at one tick. Each path has a function that makes the response."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from datetime import datetime
from functools import cache, partial
from pathlib import Path
from typing import Any

import jinja2

from demo.clock import time_at
from demo.news import feeds, layout, truth
from demo.news.extras import plain_pages
from demo.news.layout import PageElement
from demo.news.newsroom import Edition
from demo.news.picture import svg
from demo.news.story import Story
from demo.response import Response
from demo.sites import Section, Site, slug

STORIES_PER_HUB = 15
XML = "application/xml; charset=utf-8"
Maker = Callable[[], Response]


@cache
def _environment() -> jinja2.Environment:
    folder = Path(__file__).parent / "templates"
    made = jinja2.Environment(loader=jinja2.FileSystemLoader(folder), autoescape=True, trim_blocks=True, lstrip_blocks=True)
    made.globals["json_ld"] = _json_ld
    return made


def _json_ld(site: Site, story: Story) -> str:
    """The JSON-LD of an article on the first site. It does not contain the text."""
    found = {
        "@context": "https://schema.org",
        "@type": "NewsArticle",
        "headline": story.title,
        "description": story.standfirst,
        "datePublished": story.published_at.isoformat(),
        "dateModified": story.modified_at.isoformat(),
        "inLanguage": story.language,
        "author": [{"@type": "Person", "name": name} for name in story.authors],
        "publisher": {"@type": "NewsMediaOrganization", "name": site.name},
        "mainEntityOfPage": site.base + site.article_path(story),
    }
    return json.dumps(found, ensure_ascii=False).replace("<", "\\u003c")


class Pages:
    """All pages of a site at a tick. A page is made by its first request, and then kept."""

    def __init__(self, site: Site, edition: Edition, bases: tuple[str, str], *, odd: bool) -> None:
        self.site, self.edition, self.bases, self.odd = site, edition, bases, odd
        self.stories = edition.of(site.index)
        self.now = time_at(edition.clock)
        self._makers: dict[str, Maker] = {}
        self._made: dict[str, Response] = {}
        self._route()

    def find(self, target: str) -> Response:
        """The response to a target (path and query). 404 if there is none."""
        if target not in self._made:
            maker = self._makers.get(target) or self._makers.get(_without_tracking(target))
            if maker is None and not target.startswith(("/search?", "/suche?", "/media/")):
                return self._plain("Not found", ["There is no page at this address."], status=404)
            response = maker() if maker else self._dynamic(target)
            if len(self._made) > 20_000:
                self._made.clear()
            self._made[target] = response
        return self._made[target]

    def _route(self) -> None:
        self._route_stories()
        self._route_hubs()
        self._route_files()
        for path, title, lines in plain_pages(self.site):
            self._makers[path] = partial(self._plain, title, lines)

    def _route_stories(self) -> None:
        for story in self.stories:
            self._makers[self.site.article_path(story)] = partial(self._article, story)
            self._makers[f"/go/{story.number}"] = partial(self._moved, story)
        for story in self.edition.withdrawn:
            if story.site == self.site.index:
                self._makers[self.site.article_path(story)] = lambda: self._plain("Withdrawn", ["This article was withdrawn."], status=410)

    def _route_hubs(self) -> None:
        self._makers["/"] = lambda: self._render("home.html", stories=self.stories, title=self.site.name)
        for section in self.site.sections:
            self._route_hub(section, [story for story in self.stories if self.site.section_of(story) == section])
        for author in sorted({name for story in self.stories for name in story.authors}):
            self._route_list(self.site.author_path(author), author, [story for story in self.stories if author in story.authors])
        for tag in sorted({tag for story in self.stories for tag in story.tags}):
            self._route_list(self.site.tag_path(tag), tag, [story for story in self.stories if tag in story.tags])

    def _route_hub(self, section: Section, stories: list[Story]) -> None:
        pages = max(1, -(-len(stories) // STORIES_PER_HUB))
        for number in range(1, pages + 1):
            some = stories[(number - 1) * STORIES_PER_HUB : number * STORIES_PER_HUB]
            neighbours: dict[str, Any] = {"page": number, "newer": number - 1, "older": number + 1 if number < pages else 0}
            values = {"title": section.title, "stories": some, "language": section.language, "hub": section.name, **neighbours}
            self._makers[self.site.hub_path(section.name, number)] = partial(self._render, "hub.html", section, **values)
        self._makers[f"/{section.name}/rss.xml"] = lambda: Response(
            feeds.rss(self.site, stories, f"{self.site.name}: {section.title}"), "application/rss+xml; charset=utf-8", modified_at=self.now
        )

    def _route_list(self, path: str, title: str, stories: list[Story]) -> None:
        self._makers[path] = lambda: self._render("hub.html", title=title, stories=stories[:40], page=1)

    def _route_files(self) -> None:
        site, edition, now = self.site, self.edition, self.now
        articles = [(site.base + site.article_path(story), story.modified_at.isoformat()) for story in self.stories]
        hubs = [(site.base + site.hub_path(section.name), now.isoformat()) for section in site.sections]
        atom_path = "/feed.atom"
        self._makers |= {
            "/robots.txt": lambda: Response(feeds.robots(site), "text/plain; charset=utf-8"),
            "/feed.xml": lambda: Response(feeds.rss(site, self.stories, site.name), "application/rss+xml; charset=utf-8", modified_at=now),
            atom_path: lambda: Response(
                feeds.atom(site, self.stories, site.name, atom_path), "application/atom+xml; charset=utf-8", modified_at=now
            ),
            "/sitemap.xml": lambda: Response(feeds.sitemap_index(site, edition), XML, modified_at=now),
            "/sitemap-sections.xml": lambda: Response(feeds.sitemap([(site.base + "/", now.isoformat()), *hubs]), XML, modified_at=now),
            "/sitemap-articles.xml.gz": lambda: Response(
                gzip.compress(feeds.sitemap(articles), 6, mtime=0), "application/gzip", modified_at=now
            ),
            "/news-sitemap.xml": lambda: Response(feeds.news_sitemap(site, edition), XML, modified_at=now),
            "/__truth__/clock": lambda: Response(str(edition.clock).encode(), "text/plain; charset=utf-8"),
            "/__truth__/articles.json": lambda: Response(truth.articles_json(edition.clock, self.bases), "application/json; charset=utf-8"),
        }

    def _dynamic(self, target: str) -> Response:
        if target.startswith("/media/"):
            return Response(svg(target), "image/svg+xml", modified_at=time_at(0))
        words = target.partition("=")[2].partition("&")[0].lower()
        found = [story for story in self.stories if words and words in slug(story.title)]
        return self._render("hub.html", title=f"Search: {len(found)}", stories=found[:20], page=1)

    def _article(self, story: Story) -> Response:
        box = layout.most_read(self.edition, story)
        return self._render(
            "article.html",
            self.site.section_of(story),
            modified_at=self.now if box else story.modified_at,
            title=story.title,
            story=story,
            parts=layout.page_elements(story),
            most_read=box,
            in_the_news=layout.related(story, 4, "news"),
            icymi=layout.related(story, 3, "icymi"),
            comments=layout.comments_of(story),
            language=story.language,
        )

    def _moved(self, story: Story) -> Response:
        return Response(b"", status=301, headers=(("Location", self.site.article_path(story)),))

    def _plain(self, title: str, lines: list[str], status: int = 200) -> Response:
        return self._render("plain.html", status=status, title=title, parts=[PageElement("p", line) for line in lines])

    def _render(
        self, template: str, section: Section | None = None, *, status: int = 200, modified_at: datetime | None = None, **values: Any
    ) -> Response:
        language = values.setdefault("language", self.site.language)
        charset = section.charset if section else "utf-8"
        html = (
            _environment()
            .get_template(f"{self.site.templates}/{template}")
            .render(
                site=self.site, section=section, charset=charset, labels=layout.boilerplate(language), now=self.now, odd=self.odd, **values
            )
        )
        body = html.encode(charset, "xmlcharrefreplace")
        return Response(body, f"text/html; charset={charset}", status, modified_at or self.now)


def _without_tracking(target: str) -> str:
    """The target without tracking parameters: with and without them it is the same page."""
    path, _, query = target.partition("?")
    return path if query.startswith(("utm_", "print=")) else target
