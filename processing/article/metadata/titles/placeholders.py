"""What templates write instead of a title, or beside it: sections and general words."""

from __future__ import annotations

from processing.article.metadata.titles.letters import letters_of

# What templates put before or after the title, and instead of it.
SECTIONS = frozenset(("blog", "blogarchive", "blogarchiv", "home", "startseite", "news", "nachrichten", "aktuelles", "新闻", "ニュース"))
_NO_TITLES = """
untitled untitleddocument untitledpage document index homepage newpage ohnetitel unbenannt unbenanntesdokument neueseite sanstitre
documentosintítulo sintítulo senzatitolo documentosenzatitolo naamloos namnlös beztytułu accueil inicio início stronagłówna
detail details detailansicht einzelansicht newsdetail newsdetails artikel article articleview artikelansicht meldung beitrag
navigation menu menü
neuigkeiten meldungen mitteilungen presse pressemitteilung pressemitteilungen pressemeldung pressemeldungen pressreleases pressrelease
newsroom archiv archive berichte actualités actualité noticias novedades notizie notícias nieuws aktuality aktualności новости новини
nyheter nyheder uutiset hírek știri noutăți haberler berita お知らせ 新着情報 新聞 공지사항 뉴스
"""
_PLACEHOLDERS = SECTIONS.union(_NO_TITLES.split())


def is_placeholder(title: str) -> bool:
    """Whether a title is what a template writes instead of one, such as `Home` or `New Page 1`."""
    return letters_of(title).rstrip("0123456789") in _PLACEHOLDERS
