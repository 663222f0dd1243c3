"""What class names and ids say of an element: the words by which sites call their furniture."""

from __future__ import annotations

import re

# Whole words, as sites join them by hyphens, underscores or capitals: `related-links`, `relatedLinks`, `c-related__item`.
_WORDS = (
    "share shares sharing sharer sharebar social socials related recommended recommendations recommendation newsletter newsletters subscribe "
    "subscription signup sign-up comment comments commentlist disqus promo promos promotion advert adverts advertisement advertising ad ads "
    "sponsor sponsored sidebar breadcrumb breadcrumbs byline bylines bio tags taglist taxonomy credit credits cookie cookies "
    "consent gdpr popup modal toolbar menu nav navbar navigation pagination pager footer foot masthead readmore read-more read-next "
    "more-on more-from more-stories more-news more-articles most-read most-popular most-viewed popular trending outbrain taboola rail login "
    "printonly screen-reader screen-reader-text skip-link sr-only visually-hidden visuallyhidden rating ratings "
    "timestamp pubdate published copyright toc table-of-contents also-read you-may-also-like "
    "upnext up-next next-article jump-link follow follow-us recirc recirculation outbound cli-row onetrust author-box author-info "
    "author-card about-author author-description post-meta entry-meta article-meta meta-data metadata sharedaddy jp-relatedposts yarpp "
    "cta carousel gallery slider slideshow dropdown tooltip donate donation footnotes gated-overlay author authors lightbox "
    "addtoany addthis wp-caption-text caption captions nextprev post-navigation nav-links"
).split()


def _camel(word: str) -> str:
    return "".join(part.capitalize() for part in word.split("-"))


def _pattern(words: list[str]) -> re.Pattern[str]:
    lower = "|".join(sorted((re.escape(word).replace(r"\-", "[-_]?") for word in words), key=len, reverse=True))
    camel = "|".join(sorted(map(_camel, words), key=len, reverse=True))
    layout = "(?<!no.)(?<!has.)(?<!with.)(?<!under.)(?<!no)(?<!has)(?<!with)"  # `with-sidebar` names the page, not its sidebar
    return re.compile(f"{layout}(?:(?<![a-zA-Z])(?i:{lower})(?![a-z0-9])|(?<=[a-z])(?:{camel})(?![a-z0-9]))")


_JUNK = _pattern(_WORDS)

# The words by which sites call the article's body itself.
BODY = re.compile(
    r"(?<![a-z])(?:article|entry|post|story|blog|news|page|main|body|rich|single)[-_]{0,2}(?:body|content|text|copy|main)(?![a-z])"
    r"|(?<![a-z])(?:articleBody|ArticleBody|storyBody|StoryBody|postBody|PostBody|blogPost|RichText|RichTextStoryBody|prose|wysiwyg|rte|post-full-content)(?![a-z])",
)


class JunkNames:
    """Tells furniture by its names; remembers the answers for one page, whose names repeat."""

    def __init__(self) -> None:
        self._known: dict[str, bool] = {" ": False}

    def match(self, names: str) -> bool:
        """Whether class and id (`names`) are furniture's."""
        known = self._known.get(names)
        if known is None:
            known = self._known[names] = _JUNK.search(names) is not None
        return known
