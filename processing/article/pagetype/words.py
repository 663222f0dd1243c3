"""Words that indicate a page's type: in URLs, in JSON-LD, in class names, on links and buttons."""

from __future__ import annotations

import re

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
PATHS = {name: re.compile(pattern, re.IGNORECASE) for name, pattern in _PATHS.items()}
HOSTS = {
    "host_docs": re.compile(r"^(?:docs?|developers?|wiki|help|support|api|learn|man|kb|readthedocs)\.|\.readthedocs\.|\.dev$"),
    "host_forum": re.compile(r"forum|community|discuss|boards?\.|talk|^answers"),
    "host_shop": re.compile(r"shop|store|^buy\."),
    "host_blog": re.compile(r"blog|news|magazine|times|post|daily|journal|herald|tribune|review"),
}
# schema.org types.
TYPES = {
    "ld_article": frozenset({"Article", "ReportageNewsArticle", "OpinionNewsArticle", "AnalysisNewsArticle", "MedicalWebPage"}),
    "ld_news": frozenset({"NewsArticle"}),
    "ld_blog": frozenset({"BlogPosting"}),
    "ld_recipe": frozenset({"Recipe", "HowTo"}),
    "ld_product": frozenset({"Product", "ProductGroup", "IndividualProduct"}),
    "ld_offer": frozenset({"Offer", "AggregateOffer", "OfferCatalog"}),
    "ld_forum": frozenset({"DiscussionForumPosting", "QAPage", "Question", "Answer"}),
    "ld_list": frozenset({"CollectionPage", "SearchResultsPage", "OfferCatalog"}),
    "ld_items": frozenset({"ItemList"}),
    "ld_service": frozenset(
        {"Service", "LocalBusiness", "SoftwareApplication", "ProfessionalService", "WebApplication", "MobileApplication"}
    ),
    "ld_docs": frozenset({"TechArticle", "APIReference", "SoftwareSourceCode"}),
    "ld_faq": frozenset({"FAQPage"}),
    "ld_person": frozenset({"Person"}),
    "ld_crumbs": frozenset({"BreadcrumbList"}),
    "ld_review": frozenset({"Review", "AggregateRating"}),
    "ld_page": frozenset({"WebPage"}),
    "ld_site": frozenset({"WebSite"}),
    "ld_organization": frozenset({"Organization"}),
    "ld_image": frozenset({"ImageObject"}),
}
# In the classes and ids of block elements.
CLASSES = {
    "class_byline": ("byline", "author-name", "post-author", "entry-author", "article-author"),
    "class_author": ("author",),
    "class_entry": ("entry-content", "post-content", "article-body", "article__body", "articlebody", "post-body"),
    "class_single": ("single-post", "type-post", "article-page", "blog-detail", "blog-post", "blogpost"),
    "class_page": ("type-page", "single-product", "archive"),
    "class_comments": ("comments-area", "disqus", "comment-form", "comment-respond"),
    "class_reply": ("postbit", "bbcode", "post_content", "message-body", "forum", "postbody", "js-post"),
    "class_forum": ("ipslayout", "question", "vote", "answer"),
    "class_docs": ("sphinx", "admonition"),
    "class_toc": ("table-of-contents", "toc"),
    "class_highlight": ("highlight", "language-", "codeblock"),
    "class_cart": ("add-to-cart", "addtocart", "add_to_cart", "buy-box", "product-form", "product-detail", "pdp"),
    "class_price": ("price",),
    "class_swatch": ("swatch", "quantity", "variant"),
    "class_filter": ("facet", "filter", "product-grid", "product-card", "productcard", "product-list", "product-item", "plp", "sort-by"),
    "class_pager": ("pagination", "pager", "load-more"),
    "class_hero": ("hero", "cta", "testimonial", "pricing", "feature-", "logos"),
    "class_related": ("related", "recommended"),
    "class_share": ("share", "addtoany", "sharedaddy"),
    "class_card": ("card", "teaser", "tile"),
    "class_date": ("entry-date", "post-date", "publish", "article-date"),
    "class_read": ("reading-time", "read-time"),
    "class_tags": ("post-tags", "tag-list"),
}
# In the class and id of the body element.
BODY_CLASSES = (
    "single",
    "archive",
    "page-template",
    "post-template",
    "product",
    "home",
    "category",
    "search",
    "blog",
    "article",
    "forum",
    "question",
    "docs",
    "event",
    "landing",
    "news",
    "template-",
    "node-type",
    "path-",
)
# In the texts of links and buttons.
LABELS = {
    "label_cart": ("add to cart", "add to bag", "add to basket", "buy now", "add to wish", "ajouter au panier", "in den warenkorb"),
    "label_reply": ("reply", "report post", "new topic", "permalink"),
    "label_edit": ("edit this page", "edit on github", "was this page helpful", "view source"),
}
# In the lower-case prose: who speaks to whom, and the share of words from which on that is all they do.
VOICES = {
    "we": (("we", "our", "us"), 0.04),
    "you": (("you", "your"), 0.05),
    "i": (("i", "my", "me", "i'm", "i’m"), 0.05),
    "says": (("said", "said.", "said,", "says", "says."), 0.02),
    "they": (("he", "she", "his", "her", "they"), 0.05),
}
SIGNS = (("exclaims", "!", 0.01), ("asks", "?", 0.01), ("quotes", "“", 0.02), ("commas", ",", 0.08), ("brackets", "(", 0.03))
