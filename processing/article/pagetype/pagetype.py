"""Classify a page: an article, or one of several other types."""

from __future__ import annotations

import re
from itertools import accumulate
from urllib.parse import urlsplit

from processing.article.metadata.metadata import Metadata
from processing.article.outline.outline import Outline
from processing.article.pagetype.features import page_features
from processing.article.pagetype.words import HOSTS, PATHS, TYPES
from processing.article.tree.parse import Tree
from schemas.article import PageType
from schemas.page import Page

# A wall or an error page has hardly a text; a page with more than this is not one, whatever its title says.
MAX_WALL_CHARACTERS = 1_500
MAX_CHALLENGE_CHARACTERS = 60_000  # of HTML: anti-bot scripts are on complete pages, too
MAX_BARE_CHARACTERS = 20_000  # of HTML: the text of such a small page is read in any case
MIN_DECLARED_PROSE = 1_000  # characters: less may be a teaser before a wall, or a caption
MIN_UNLINKED_PROSE = 200  # characters on a page without links and buttons
_DATED = frozenset(("json-ld", "meta", "time", "text"))  # a date in the URL or from a feed says less
_OTHER_PATHS = ("path_forum", "path_docs", "path_collection", "path_list", "path_service", "path_product", "path_end")
_OTHER_HOSTS = ("host_forum", "host_docs", "host_shop")
DECLARED_SHARE = 0.7  # of the page's prose in the container
MIN_SLUG_HYPHENS = 3
MODEL_EVIDENCE = "the page's features"
_ARTICLES = frozenset(("Article", "NewsArticle", "BlogPosting"))
_OTHERS = frozenset[str]().union(
    *(TYPES[name] for name in ("ld_product", "ld_offer", "ld_forum", "ld_list", "ld_items", "ld_docs", "ld_service", "ld_recipe", "ld_faq"))
)
_RIVALS = frozenset[str]().union(*(TYPES[name] for name in ("ld_product", "ld_forum", "ld_docs", "ld_service")))
_SOFT_404 = re.compile(
    r"\b404\b|(?:page|seite|página|pagina|file|article|content|story)\W+(?:\w+\W+){0,4}(?:not|no longer|cannot|can't|couldn’t|couldn't)\W+"
    r"(?:be\W+)?(?:found|available|exist|encontrada|trovata)|nicht gefunden|page introuvable|página no encontrada|pagina non trovata"
    r"|страница не найдена|nothing (?:was )?found|oops|(?:page|content) (?:has been |was )?(?:removed|deleted|moved)",
    re.IGNORECASE,
)
_WALL = re.compile(
    r"just a moment|attention required|access denied|are you (?:a )?(?:human|robot)|not a (?:ro)?bot\b"
    r"|verify(?:ing)? (?:that )?you are (?:a )?human|captcha"
    r"|checking your browser|enable (?:javascript|cookies)|security check|request (?:unsuccessful|blocked)|pardon our interruption"
    r"|log ?in to continue|^(?:log|sign) ?in\b|please (?:log|sign) in|before you continue|we value your privacy"
    r"|cookie (?:consent|preferences)|403 forbidden",
    re.IGNORECASE,
)
# In lower case.
_CHALLENGES = (
    b"cf-chl",
    b"challenge-platform",
    b"px-captcha",
    b"_incapsula_",
    b"datadome",
    b"distil_r_captcha",
    b"g-recaptcha",
    b"h-captcha",
)


def page_type(tree: Tree, page: Page, metadata: Metadata, outline: Outline, container: int) -> PageType:
    """The type of a page, by its declarations and its shape. The same page always has the same type.

    `outline` is of the page's whole body, `container` the element in it that would be the article's.
    """
    return classify_page(tree, page, metadata, outline, container)[0]


def classify_page(tree: Tree, page: Page, metadata: Metadata, outline: Outline, container: int) -> tuple[PageType, str]:
    """The type of a page and the evidence for it; see `page_type`."""
    if found := _wall_or_error(tree, page, metadata, outline):
        return found, "little text, and its words"
    if _says_article(metadata) and not any(block.prose for block in outline.text_blocks):
        return PageType.ARTICLE, "og:type or json-ld @type"  # without prose, only the page's own declaration is left
    if evidence := sure_article(metadata, outline, container, page.url):
        return PageType.ARTICLE, evidence
    if metadata.title and not outline.labels and sum([block.prose for block in outline.text_blocks]) >= MIN_UNLINKED_PROSE:
        return PageType.ARTICLE, "prose without a link"  # a page of any other type leads to something
    from processing.article.pagetype.model import load_model  # with NumPy, which most articles do not need

    model = load_model()
    probabilities = model.probabilities(page_features(tree, page, metadata, outline, container))
    if probabilities.pop("article") >= model.article_threshold and metadata.title:  # every article has a title
        return PageType.ARTICLE, MODEL_EVIDENCE
    if "ImageGallery" in metadata.json_ld_types or (metadata.og_type or "").startswith("video") or "/gallery/" in page.url:
        return PageType.GALLERY, "json-ld ImageGallery, og:type or the URL"
    return PageType(max(probabilities, key=probabilities.__getitem__)), MODEL_EVIDENCE


def sure_article(metadata: Metadata, outline: Outline, container: int, url: str) -> str | None:
    """The evidence that a page is surely an article, with enough prose. Else None.

    Then the model is not asked. Such a page is declared as an article in og:type and JSON-LD and as nothing else; or its prose is in one
    place, it is dated, its URL is not one of another type, and it is declared and names authors, or its URL has a slug. Articles are often
    declared with lists, questions or recipes in them, but not with products, forums or services.
    """
    kinds, og_article = metadata.json_ld_types, metadata.og_type == "article"
    json_ld_article, only = not _ARTICLES.isdisjoint(kinds), _OTHERS.isdisjoint(kinds)
    element = outline.elements[container]
    prose = sum([block.prose for block in outline.text_blocks[element.start : element.end]])
    if not metadata.title or prose < MIN_DECLARED_PROSE:
        return None
    if og_article and json_ld_article and only:
        return "og:type and json-ld @type"
    dated = metadata.published_at_source in _DATED
    if not dated or prose < DECLARED_SHARE * sum([block.prose for block in outline.text_blocks]):
        return None
    path, host = _path_and_host(url)
    if _is_other_url(path, host):
        return None
    if (og_article or json_ld_article) and metadata.authors and _RIVALS.isdisjoint(kinds):
        return "og:type or json-ld @type, date and authors"
    return "date and URL" if only and path.count("-") >= MIN_SLUG_HYPHENS else None


def _path_and_host(url: str) -> tuple[str, str]:
    parts = urlsplit(url)
    return f"{parts.path.rstrip('/')}/", parts.hostname or ""


def _is_other_url(path: str, host: str) -> bool:
    return any(PATHS[name].search(path) for name in _OTHER_PATHS) or any(HOSTS[name].search(host) for name in _OTHER_HOSTS)


def _is_challenge(page: Page) -> bool:
    data = page.html.encode("utf-8", "ignore") if page.utf8 is None else page.utf8
    data = data.lower()  # of bytes, which is faster than of text
    return any(map(data.__contains__, _CHALLENGES))


def _says_article(metadata: Metadata) -> bool:
    return bool(metadata.title) and (metadata.og_type == "article" or not _ARTICLES.isdisjoint(metadata.json_ld_types))


def _wall_or_error(tree: Tree, page: Page, metadata: Metadata, outline: Outline) -> PageType | None:
    if any(map(MAX_WALL_CHARACTERS.__lt__, accumulate(len(block.text) for block in outline.text_blocks))):
        return None
    declared = tree.css_first("title")
    titles = f"{metadata.title or ''}\n{declared.text() if declared is not None else ''}"
    challenge = len(page.html) < MAX_CHALLENGE_CHARACTERS and _is_challenge(page)
    if not (_SOFT_404.search(titles) or _WALL.search(titles) or challenge or len(page.html) < MAX_BARE_CHARACTERS):
        return None
    texts = [text for node in tree.css("p, h1, h2, li, form, div > span") if (text := node.text().strip())]
    length = sum(map(len, texts))
    if length > MAX_WALL_CHARACTERS:
        return None
    text = "\n".join([titles, *texts])
    if _SOFT_404.search(text):
        return PageType.SOFT_404
    if challenge or _WALL.search(text) or (length < 300 and tree.css_first("input[type=password]") is not None):
        return PageType.WALL
    return None
