"""The two sites: their names, their sections and the form of their URLs."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from urllib.parse import quote

from demo.news.story import Story


@dataclass(frozen=True)
class Section:
    """A section of a site. `charset` is the encoding of its pages."""

    name: str
    title: str
    language: str
    charset: str = "utf-8"


@dataclass(frozen=True)
class Site:
    """A site as its readers know it. `base` is its scheme, host and port, without a slash at the end."""

    index: int
    name: str
    slogan: str
    language: str
    base: str
    sections: tuple[Section, ...]
    templates: str

    def section(self, name: str) -> Section:
        """The section of that name."""
        return next(section for section in self.sections if section.name == name)

    def section_of(self, story: Story) -> Section:
        """The section of a story."""
        return self.section(section_name(story))

    def article_path(self, story: Story) -> str:
        """The path of a story's page."""
        day = story.published_at
        if self.index == 0:
            return f"/{section_name(story)}/{day:%Y/%m/%d}/{slug(story.title)}-{story.number}"
        if story.language == "ja":
            return f"/{section_name(story)}/{day:%Y%m%d}/{story.number}.html"
        return f"/{section_name(story)}/{slug(story.title)}-artikel-{story.number}.html"

    def hub_path(self, section: str, page: int = 1) -> str:
        """The path of a section's page, or of a further page of it."""
        if self.index == 0:
            return f"/{section}/" if page == 1 else f"/{section}/page/{page}"
        return f"/{section}/index.html" if page == 1 else f"/{section}/index.html?seite={page}"

    def author_path(self, author: str) -> str:
        """The path of an author's page."""
        name = slug(author) or quote(author)
        return f"/authors/{name}" if self.index == 0 else f"/autor/{name}.html"

    def tag_path(self, tag: str) -> str:
        """The path of a tag's page. The second site has percent-encoded umlauts in it."""
        return f"/tag/{slug(tag)}/" if self.index == 0 else f"/thema/{quote(tag.lower())}"


def section_name(story: Story) -> str:
    """A section's name in URLs: Spanish and Japanese sections carry their language."""
    return f"{story.language}-{story.section}" if story.language in {"es", "ja"} else story.section


def slug(title: str) -> str:
    """A title in lower-case ASCII, for URLs. Empty if the title has no Latin letters."""
    german = title.lower().replace("ä", "ae").replace("ö", "oe").replace("ü", "ue").replace("ß", "ss")
    ascii_only = unicodedata.normalize("NFKD", german).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9]+", "-", ascii_only).strip("-")[:70].rstrip("-")


def make_sites(first: str, second: str) -> tuple[Site, Site]:
    """Both sites at their addresses, like `http://127.0.0.1:8801`."""
    topics = {
        "en": ("City", "Business", "Science", "Sport", "Culture"),
        "es": ("Ciudad", "Economía", "Ciencia", "Deportes", "Cultura"),
        "de": ("Stadt", "Wirtschaft", "Wissen", "Sport", "Kultur"),
        "ja": ("地域", "経済", "科学", "スポーツ", "文化"),
    }
    names = ("city", "business", "science", "sport", "culture")
    charsets = {"culture": "windows-1252", "ja-culture": "shift_jis"}

    def sections(language: str, prefix: str = "") -> list[Section]:
        return [
            Section(prefix + name, title, language, charsets.get(prefix + name, "utf-8") if language in {"de", "ja"} else "utf-8")
            for name, title in zip(names, topics[language], strict=True)
        ]

    courier = [*sections("en"), *sections("es", "es-"), Section("europa", "Europa auf Deutsch", "de")]
    nordlicht = [*sections("de"), *sections("ja", "ja-"), Section("world", "World in English", "en")]
    return (
        Site(0, "The Meridian Courier", "News from the coast since 1887", "en", first, tuple(courier), "courier"),
        Site(1, "Nordlicht-Zeitung", "Unabhängig. Überregional. Überraschend.", "de", second, tuple(nordlicht), "nordlicht"),
    )
