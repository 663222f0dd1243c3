"""What a page is: an article, or one of the many things that are none."""

from __future__ import annotations

import math
import re

from processing.article.metadata import Metadata
from processing.article.pagefeatures import page_features
from processing.article.pagetypeweights import ARTICLE_SHARE, TYPES, WEIGHTS
from processing.article.parse import Tree
from schemas.article import PageType
from schemas.page import Page

# A wall or an error page has hardly a text; a page with more than this is not one, whatever its title says.
MAX_WALL_CHARACTERS = 1_500
_SOFT_404 = re.compile(
    r"\b404\b|(?:page|seite|página|pagina|file|article|content|story)\W+(?:\w+\W+){0,4}(?:not|no longer|cannot|can't|couldn’t|couldn't)\W+"
    r"(?:be\W+)?(?:found|available|exist|encontrada|trovata)|nicht gefunden|page introuvable|página no encontrada|pagina non trovata"
    r"|страница не найдена|nothing (?:was )?found|oops|(?:page|content) (?:has been |was )?(?:removed|deleted|moved)",
    re.IGNORECASE,
)
_WALL = re.compile(
    r"just a moment|attention required|access denied|are you (?:a )?(?:human|robot)|verify(?:ing)? (?:that )?you are (?:a )?human|captcha"
    r"|checking your browser|enable (?:javascript|cookies)|security check|request (?:unsuccessful|blocked)|pardon our interruption"
    r"|log ?in to continue|^(?:log|sign) ?in\b|please (?:log|sign) in|before you continue|we value your privacy"
    r"|cookie (?:consent|preferences)|403 forbidden",
    re.IGNORECASE,
)
_CHALLENGE = re.compile(r"cf-chl|challenge-platform|px-captcha|_Incapsula_|datadome|distil_r_captcha|g-recaptcha|h-captcha", re.IGNORECASE)


def page_type(tree: Tree, page: Page, metadata: Metadata) -> PageType:
    """The type of a page, by what it says of itself and by its shape. The same page always has the same type."""
    if found := _wall_or_error(tree, page, metadata):
        return found
    shares = type_shares(page_features(tree, page, metadata))
    if shares["article"] >= ARTICLE_SHARE:
        return PageType.ARTICLE
    if "ImageGallery" in metadata.json_ld_types or (metadata.og_type or "").startswith("video") or "/gallery/" in page.url:
        return PageType.GALLERY
    return PageType(max((name for name in TYPES if name != "article"), key=lambda name: shares[name]))


def type_shares(features: dict[str, float]) -> dict[str, float]:
    """How much each type accounts for a page: shares that sum to 1 (softmax regression)."""
    scores = list(WEIGHTS["constant"])
    for name, value in features.items():
        if value:
            for place, weight in enumerate(WEIGHTS[name]):
                scores[place] += value * weight
    most = max(scores)
    powers = [math.exp(score - most) for score in scores]
    total = sum(powers)
    return {name: power / total for name, power in zip(TYPES, powers, strict=True)}


def _wall_or_error(tree: Tree, page: Page, metadata: Metadata) -> PageType | None:
    title = metadata.title or ""
    declared = tree.css_first("title")
    titles = f"{title}\n{declared.text() if declared is not None else ''}"
    soft_404, wall = _SOFT_404.search(titles), _WALL.search(titles)
    challenge = len(page.html) < 60_000 and _CHALLENGE.search(page.html)
    if not (soft_404 or wall or challenge or len(page.html) < 20_000):
        return None
    prose = [text for node in tree.css("p, h1, h2, li, form, div > span") if (text := node.text().strip())]
    length = sum(map(len, prose))
    if length > MAX_WALL_CHARACTERS:
        return None
    text = "\n".join([titles, *prose])
    if _SOFT_404.search(text):
        return PageType.SOFT_404
    if challenge or _WALL.search(text) or (length < 300 and tree.css_first("input[type=password]") is not None):
        return PageType.WALL
    return None
