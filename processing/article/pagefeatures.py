"""What tells articles from other pages: cheap measures of a page's address, declarations and shape."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterator
from urllib.parse import urlsplit

from processing.article.metadata import Metadata
from processing.article.parse import Node, Tree
from schemas.page import Page

MAX_ELEMENTS = 2_000
LONG_PARAGRAPH = 80  # characters
_COUNTED = "p, a, h1, h2, h3, li, article, table, pre, code, form, input, button, select, time, img, video, iframe, dt, textarea"
_PATHS = {
    "path_article": r"/(?:blogs?|news|articles?|story|stories|posts?|p|magazine|insights?|features?|reviews?|opinion|guides?"
    r"|resources|tips|learn|newsroom|journal|podcasts?|press|advice|life|health|how-?to)/",
    "path_product": r"/(?:products?|shop|store|item|itm|dp|listing|pd|sku|buy)/|/p/",
    "path_collection": r"/(?:collections?|categor(?:y|ies)|c|cat|departments?|catalog|l|browse|brands?|shop-by|cp)/"
    r"|/(?:shop|store|catalog)/?$",
    "path_list": r"/(?:tags?|topics?|archives?|page|search|directory|list|lists|chart|jobs|events|authors?|issues)(?:/|$)",
    "path_end": r"/(?:blog|news|articles|stories|resources|events|jobs|category|latest|press|podcast|insights)/?$",
    "path_docs": r"/(?:docs?|documentation|reference|manual|api|wiki|userguide"
    r"|guide/|handbook|tutorials?|man|latest|stable|v?\d+\.\d+|sdk)(?:/|$)",
    "path_forum": r"/(?:forums?|threads?|topics?|t|viewtopic|showthread|questions|discussions?|community|comments|boards?|r)[/.?]"
    r"|thread|topic",
    "path_service": r"/(?:services?|solutions?|platform|features?|pricing|products?"
    r"|industries|about|locations?|capabilities|company|software|consulting)/",
}
_PATH = {name: re.compile(pattern, re.IGNORECASE) for name, pattern in _PATHS.items()}
_HOST = {
    "host_docs": re.compile(r"^(?:docs?|developers?|wiki|help|support|api|learn|man|kb|readthedocs)\.|\.readthedocs\.|\.dev$"),
    "host_forum": re.compile(
        r"forum|community|discuss|stackexchange|stackoverflow|superuser|serverfault|askubuntu|reddit|boards?\.|talk|^answers"
    ),
    "host_shop": re.compile(r"^(?:shop|store|buy)\.|shop|store"),
    "host_blog": re.compile(r"blog|news|substack|medium\.|magazine|times|post|daily|journal|herald|tribune|review|guardian"),
}
_TYPES = {
    "ld_article": {
        "Article",
        "NewsArticle",
        "BlogPosting",
        "ReportageNewsArticle",
        "OpinionNewsArticle",
        "AnalysisNewsArticle",
        "MedicalWebPage",
    },
    "ld_recipe": {"Recipe", "HowTo"},
    "ld_product": {"Product", "ProductGroup", "IndividualProduct"},
    "ld_offer": {"Offer", "AggregateOffer", "OfferCatalog"},
    "ld_forum": {"DiscussionForumPosting", "QAPage", "Question", "Answer"},
    "ld_list": {"CollectionPage", "SearchResultsPage", "OfferCatalog"},
    "ld_items": {"ItemList"},
    "ld_service": {"Service", "LocalBusiness", "SoftwareApplication", "ProfessionalService", "WebApplication", "MobileApplication"},
    "ld_docs": {"TechArticle", "APIReference", "SoftwareSourceCode"},
    "ld_faq": {"FAQPage"},
    "ld_person": {"Person"},
    "ld_crumbs": {"BreadcrumbList"},
    "ld_review": {"Review", "AggregateRating"},
}
# In the classes and ids of a page's elements.
_CLASSES = {
    "class_byline": ("byline", "author-name", "author__name", "author_name", "post-author", "entry-author", "article-author"),
    "class_author": ("author",),
    "class_entry": (
        "entry-content",
        "post-content",
        "article-body",
        "article__body",
        "articlebody",
        "blog-post",
        "post-body",
        "story-body",
    ),
    "class_single": ("single-post", "type-post", "post-template", "article-page", "blog-detail", "blog_post", "blogpost"),
    "class_page": ("page-template", "type-page", "single-product", "post-type-archive", "archive"),
    "class_comments": ("comments-area", "comment-list", "disqus", "comment-form", "wp-comments", "comment-respond"),
    "class_reply": ("postbit", "bbcode", "post_content", "message-body", "topic-post", "forum", "postbody", "js-post", "post-number"),
    "class_forum": ("discourse", "xenforo", "vbulletin", "phpbb", "ipslayout", "question", "upvote", "vote", "answer"),
    "class_docs": (
        "sphinx",
        "docusaurus",
        "md-content",
        "gitbook",
        "docsearch",
        "vitepress",
        "rustdoc",
        "toctree",
        "theme-doc",
        "admonition",
    ),
    "class_toc": ("table-of-contents", "toc"),
    "class_highlight": ("highlight", "language-", "hljs", "prism", "codeblock"),
    "class_cart": ("add-to-cart", "addtocart", "add_to_cart", "buy-box", "product-form", "add-to-bag", "product-detail", "pdp"),
    "class_price": ("price",),
    "class_swatch": ("swatch", "quantity", "variant", "size-guide"),
    "class_filter": (
        "facet",
        "filter",
        "product-grid",
        "product-card",
        "productcard",
        "product-list",
        "product-item",
        "plp",
        "sort-by",
        "collection",
    ),
    "class_pager": ("pagination", "pager", "load-more", "page-numbers"),
    "class_hero": ("hero", "cta", "testimonial", "pricing", "feature-", "client-logo", "logos"),
    "class_related": ("related", "recommended", "more-stories"),
    "class_share": ("share", "addtoany", "sharedaddy", "social-share"),
    "class_card": ("card", "teaser", "tile"),
    "class_date": ("entry-date", "post-date", "publish", "published", "article-date", "date-published", "posted-on"),
    "class_read": ("reading-time", "read-time", "readtime", "min-read"),
    "class_tags": ("post-tags", "tag-list", "entry-tags", "post-categories", "cat-links", "tags-links"),
}
# In the texts of links and buttons.
_LABELS = {
    "label_cart": ("add to cart", "add to bag", "add to basket", "buy now", "add to wish", "ajouter au panier", "in den warenkorb"),
    "label_demo": ("demo", "free trial", "contact sales", "get started", "start free", "sign up free", "try for free", "try it free"),
    "label_quote": (
        "quote",
        "estimate",
        "schedule",
        "appointment",
        "book now",
        "call now",
        "consultation",
        "apply now",
        "request info",
        "enroll",
    ),
    "label_reply": ("reply", "quote", "report post", "log in to reply", "new topic", "permalink"),
    "label_edit": ("edit this page", "edit on github", "was this page helpful", "view source"),
    "label_next": ("next:", "previous:", "next page", "previous page"),
    "label_read": ("read more", "continue reading", "learn more"),
    "label_share": ("facebook", "share", "tweet", "pinterest"),
    "label_tag": ("in this article", "table of contents"),
    "label_sort": ("sort by", "filter", "view all", "quick view", "shop now", "load more", "show more"),
}
_WE = re.compile(r"\b(?:we|our|us|we’re|we're)\b", re.IGNORECASE)
_YOU = re.compile(r"\b(?:you|your|you’re|you're)\b", re.IGNORECASE)
_I = re.compile(r"\b(?:i|my|me|i’m|i'm|i’ve|i've)\b", re.IGNORECASE)
_PAST = re.compile(r"\b(?:was|were|had|said|said|\w{3,}ed)\b", re.IGNORECASE)
MAX_LABEL_CHARACTERS = 40
MAX_PROSE_CHARACTERS = 3_000
MAX_CLASS_ELEMENTS = 800
MAX_CLASS_CHARACTERS = 12_000


def page_features(tree: Tree, page: Page, metadata: Metadata) -> dict[str, float]:
    """The measures by name, each about 0 to 1; absent ones are 0."""
    return {
        **dict(_of_address(page.url)),
        **dict(_of_declarations(metadata)),
        **dict(_of_classes(tree)),
        **_of_shape(tree),
        **dict(_of_title(metadata.title)),
    }


def _of_address(url: str) -> Iterator[tuple[str, float]]:
    parts = urlsplit(url)
    path = parts.path
    segments = [segment for segment in path.split("/") if segment]
    last = segments[-1] if segments else ""
    yield "url_home", float(not segments)
    yield "url_depth", min(len(segments), 6) / 6
    yield "url_slug", min(last.count("-") + last.count("_"), 8) / 8
    yield "url_long_slug", float(last.count("-") >= 3)
    yield "url_digits", float(bool(re.search(r"\d{5,}", path)))
    yield "url_date", float(bool(re.search(r"/(?:19|20)\d\d(?:[/-]\d{1,2})", path)))
    yield "url_query", float(bool(parts.query) and "srsltid" not in parts.query)
    yield "url_srsltid", float("srsltid" in parts.query)
    yield "url_html", float(last.endswith((".html", ".htm", ".php", ".aspx")))
    yield "url_short_last", float(bool(segments) and last.count("-") == 0)
    for name, pattern in _PATH.items():
        yield name, float(bool(pattern.search(path if name == "path_end" else path + ("" if path.endswith("/") else "/"))))
    host = parts.hostname or ""
    for name, pattern in _HOST.items():
        yield name, float(bool(pattern.search(host)))


def _of_declarations(metadata: Metadata) -> Iterator[tuple[str, float]]:
    for name, kinds in _TYPES.items():
        yield name, float(not kinds.isdisjoint(metadata.json_ld_types))
    og_type = (metadata.og_type or "").lower()
    yield "og_article", float(og_type in {"article", "blog", "news"})
    yield "og_product", float(og_type.startswith(("product", "og:product")))
    yield "og_website", float(og_type == "website")
    yield "has_authors", float(bool(metadata.authors))
    source = metadata.published_at_source
    yield "date_declared", float(source in {"json-ld", "meta"})
    yield "date_visible", float(source in {"time", "text"})
    yield "has_section", float(bool(metadata.section))
    yield "has_modified", float(metadata.modified_at is not None)
    yield "has_body", float(len(metadata.json_ld_body or "") > 500)


def _of_title(title: str | None) -> Iterator[tuple[str, float]]:
    words = (title or "").split()
    yield "title_words", min(len(words), 12) / 12
    yield "title_question", float((title or "").endswith("?"))
    yield (
        "title_how",
        float(bool(re.match(r"(?:how|why|what|when|\d+|the \d+|best|top|a guide|is|are|can|should)\b", (title or "").lower()))),
    )


def _of_classes(tree: Tree) -> Iterator[tuple[str, float]]:
    nodes = tree.css("[class]")[:MAX_CLASS_ELEMENTS]
    classes = " ".join(dict.fromkeys(node.attributes.get("class") or "" for node in nodes)).lower()[:MAX_CLASS_CHARACTERS]
    for name, words in _CLASSES.items():
        yield name, float(any(word in classes for word in words))
    yield "class_products", _log(classes.count("product"), 200)
    yield "class_posts", _log(classes.count("post"), 200)


def _of_shape(tree: Tree) -> dict[str, float]:
    shape = _Shape()
    for node in tree.css(_COUNTED)[:MAX_ELEMENTS]:
        shape.add(node)
    return {**shape.measures(), **dict(shape.of_labels()), **dict(shape.of_prose())}


class _Shape:
    """What one pass over the elements that matter counts."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.paragraphs: list[str] = []
        self.by_parent: Counter[int] = Counter()
        self.labels: list[str] = []
        self.linked = self.linked_headings = self.long_links = self.phones = 0

    def add(self, node: Node) -> None:
        """Count one element."""
        tag = node.tag or ""
        self.counts[tag] += 1
        if tag == "p":
            text = node.text()
            if len(text) >= LONG_PARAGRAPH:
                self.paragraphs.append(text)
                self.by_parent[_parent(node)] += len(text)
        elif tag in {"a", "button"}:
            self._add_label(node, tag)
        elif tag in {"h2", "h3"} and (node.css_first("a") is not None or ((above := node.parent) is not None and above.tag == "a")):
            self.linked_headings += 1

    def _add_label(self, node: Node, tag: str) -> None:
        text = node.text().strip()
        if tag == "a":
            self.linked += len(text)
            self.long_links += len(text) >= 30
            self.phones += (node.attributes.get("href") or "").startswith("tel:")
        if 0 < len(text) <= MAX_LABEL_CHARACTERS:
            self.labels.append(text)

    def of_labels(self) -> Iterator[tuple[str, float]]:
        """What links and buttons say."""
        text = "\n".join(self.labels).lower()
        for name, words in _LABELS.items():
            yield name, float(any(word in text for word in words))
        yield "replies", _log(text.count("reply"), 50)
        yield "phones", _log(self.phones, 8)

    def of_prose(self) -> Iterator[tuple[str, float]]:
        """How the paragraphs speak: who addresses whom, and of the past."""
        text = " ".join(self.paragraphs)[:MAX_PROSE_CHARACTERS]
        words = text.count(" ") + 50
        for name, pattern, most in (("we", _WE, 0.04), ("you", _YOU, 0.05), ("i", _I, 0.05), ("past", _PAST, 0.1)):
            yield name, min(len(pattern.findall(text)) / words / most, 1.0)
        yield "prices", _log(text.count("$") + text.count("£") + text.count("€"), 30)

    def measures(self) -> dict[str, float]:
        """Counts and shares."""
        counts = self.counts
        prose = sum(map(len, self.paragraphs))
        headings = counts["h2"] + counts["h3"]
        return {
            "prose": _log(prose, 20_000),
            "prose_densest": _log(max(self.by_parent.values(), default=0), 20_000),
            "prose_share": prose / (prose + self.linked + 1),
            "densest_share": max(self.by_parent.values(), default=0) / (prose + 1),
            "containers": _log(len(self.by_parent), 30),
            "paragraphs": _log(len(self.paragraphs), 60),
            "paragraph_length": _log(prose // (len(self.paragraphs) or 1), 600),
            "no_prose": float(prose < 500),
            "links": _log(counts["a"], 600),
            "long_links": _log(self.long_links, 100),
            "headings": _log(headings, 40),
            "linked_headings": _log(self.linked_headings, 30),
            "linked_heading_share": self.linked_headings / (headings + 1),
            "one_h1": float(counts["h1"] == 1),
            "no_h1": float(counts["h1"] == 0),
            "articles": _log(counts["article"], 30),
            "one_article": float(counts["article"] == 1),
            "items": _log(counts["li"], 400),
            "tables": _log(counts["table"], 10),
            "code": _log(counts["pre"] + counts["code"] // 3, 40),
            "times": _log(counts["time"], 30),
            "one_time": float(counts["time"] == 1),
            "images": _log(counts["img"], 150),
            "inputs": _log(counts["input"] + counts["select"] + counts["textarea"], 60),
            "buttons": _log(counts["button"], 100),
            "terms": _log(counts["dt"], 40),
            "videos": _log(counts["video"] + counts["iframe"], 10),
        }


def _parent(node: Node) -> int:
    parent = node.parent
    return parent.mem_id if parent is not None else 0


def _log(value: float, most: float) -> float:
    """A count on a logarithmic scale from 0 to 1 at `most` and above."""
    return min(math.log1p(max(value, 0)) / math.log1p(most), 1.0)
