"""What the engine does beyond its rules: site rules, confidence and rescue, hostile pages, and the site memory after it."""

from datetime import UTC, datetime

import msgspec
import pytest

from processing.article.article import read_article
from processing.article.body.confidence import FALLBACK_BELOW
from processing.article.outline.walk import read_outline
from processing.article.tree.parse import parse
from processing.clean.site_memory import SiteMemory
from schemas.article import Article, Block, BlockKind, PageType
from schemas.config.crawl import SiteRules
from schemas.outcomes import Reason, Rejected
from schemas.page import Page

WHEN = datetime(2026, 3, 4, tzinfo=UTC)
SENTENCE = "The {} of the island told the paper on Tuesday that the ferry would sail again as soon as the fog had lifted from the sound."
SPEAKERS = ["mayor", "captain", "teacher", "baker", "doctor", "priest", "joiner", "fisherman", "painter", "widow", "farmer", "nurse"]


def prose(*numbers: int) -> str:
    return "".join(f"<p>{SENTENCE.format(SPEAKERS[number])}</p>" for number in numbers)


def sentences(article: Article) -> list[str]:
    return [block.text for block in article.blocks]


def read(body: str, url: str = "https://news.example/2026/ferry", rules: SiteRules | None = None) -> Article:
    article = read_article(Page(url, f"<html><head><title>Ferry</title></head><body>{body}</body></html>", fetched_at=WHEN), rules)
    assert isinstance(article, Article)
    return article


def test_a_site_rule_names_the_body_and_what_to_remove() -> None:
    body = f"<div class=a>{prose(0, 1, 2, 3, 4)}</div><div class=b><p class=box>Box.</p><p>Short, but the rule wants it.</p></div>"
    article = read(body, rules=SiteRules(body=".b", remove=(".box",)))
    assert sentences(article) == ["Short, but the rule wants it."]
    assert article.extraction_path == "rule"


def test_a_site_rule_that_does_not_match_changes_nothing() -> None:
    body = f"<article><h1>Ferry</h1>{prose(0, 1, 2, 3, 4)}</article>"
    assert read(body, rules=SiteRules(body=".nowhere")) == read(body)


def test_site_rules_beat_the_metadata() -> None:
    body = (
        "<h1>Wrong</h1><b class=t>Right</b><i class=d>A day on the water</i><u class=w>By Marit Holm and Per Lund</u>"
        f'<time class=p datetime="2026-03-02T08:00:00+01:00">Monday</time><div>{prose(0, 1, 2)}</div>'
    )
    article = read(body, rules=SiteRules(title=".t", description=".d", authors=".w", published_at=".p"))
    assert (article.title, article.description, article.authors) == ("Right", "A day on the water", ("Marit Holm", "Per Lund"))
    assert article.published_at == datetime(2026, 3, 2, 7, tzinfo=UTC)


def test_an_article_is_sure_of_itself() -> None:
    assert read(f"<article><h1>Ferry</h1>{prose(*range(10))}</article>").confidence > 0.9


@pytest.mark.parametrize(
    "signs",
    [
        "{}"
        + "".join(
            f"<p>Line {number} of a text without any stop, as templates write their lists of names and places</p>" for number in range(5)
        ),
        "{}<ul>" + "<li>Harbour office, pier two</li>" * 3 + "</ul>",  # a short end
        "{}<pre>" + "for boat in boats: boat.leave()\n" * 60 + "</pre>",
        "{}" + "<p>The ferry of the year 1954 and all the <a href=/x>boats that came after it to the pier in the harbour</a></p>" * 6,
    ],
)
def test_what_makes_an_article_less_sure(signs: str) -> None:
    plain, other = (read(f"<article><h1>Ferry</h1>{text}</article>") for text in (prose(*range(10)), signs.format(prose(*range(10)))))
    assert other.confidence < plain.confidence - 0.01


def test_json_ld_that_says_something_else_costs_confidence() -> None:
    other = " ".join(f"quite{number} different{number} words{number}" for number in range(40))
    script = f'<script type="application/ld+json">{{"@type": "NewsArticle", "headline": "Ferry", "articleBody": "{other}"}}</script>'
    body = f"<article><h1>Ferry</h1>{prose(*range(10))}</article>"
    sure, unsure = read(body).confidence, read(script + body).confidence
    assert unsure < FALLBACK_BELOW < sure


def test_a_page_without_prose_is_rejected() -> None:
    outcome = read_article(Page("https://news.example/", "<html><body><img src=a.jpg></body></html>"))
    assert isinstance(outcome, Rejected)
    assert outcome.reason in set(Reason)


@pytest.mark.parametrize(
    "html", ["", "\x00", "<", "<p", "</body></html><p>", "<table><td><table><td>", "<a><a><a>", "<svg><p>x", "\ud800<p>x"]
)
def test_broken_markup_never_raises(html: str) -> None:
    assert isinstance(read_article(Page("https://news.example/broken", html)), Article | Rejected)


def test_deep_nesting_is_read_to_the_bottom() -> None:
    deep = "<div>" * 3000 + prose(*range(6)) + "</div>" * 3000
    assert sentences(read(deep)) == [SENTENCE.format(speaker) for speaker in SPEAKERS[:6]]


def test_every_element_covers_its_pieces() -> None:
    outline = read_outline(parse(f"<body><div>{prose(0)}<section>{prose(1, 2)}</section>text</div></body>").body)
    section = next(element for element in outline.elements if element.tag == "section")
    assert [block.text for block in outline.text_blocks[section.start : section.end]] == [SENTENCE.format(s) for s in SPEAKERS[1:3]]
    assert (outline.elements[0].start, outline.elements[0].end) == (0, len(outline.text_blocks))


def test_what_was_left_out_for_its_name_is_put_back_where_it_stood() -> None:
    body = (
        f"<div class=lead>{prose(0)}</div><ul><li><div class=popup-box>{prose(1, 2, 3, 4)}<aside>Ad</aside>{prose(5)}</div></li></ul>"
        f"<div class=menu>Home</div><div class=popup-box>{prose(6, 7, 8, 9, 10)}</div><section>{prose(11)}</section>"
    )
    outline = read_outline(parse(f"<body>{body}</body>").body)
    plain = read_outline(parse(f"<body>{body.replace('popup-box', 'a').replace('menu', 'footer')}</body>").body)
    assert [SENTENCE.format(SPEAKERS[number]) for number in range(12)] == [block.text for block in outline.text_blocks]
    assert outline.text_blocks == plain.text_blocks
    unnamed = [[msgspec.structs.replace(one, names="") for one in elements] for elements in (outline.elements, plain.elements)]
    assert unnamed[0] == unnamed[1]
    assert outline.left_out == ["", "menu"]


def test_what_one_page_cannot_tell_the_site_memory_can() -> None:
    slogan = "Island Weather: bring a coat, whatever they tell you in town."
    memory, articles = SiteMemory(), []
    for number in range(4):
        url = f"https://news.example/2026/{number}"
        articles.append((url, read(f"<article><h1>Ferry</h1>{prose(number, number + 4)}<p>{slogan}</p>{prose(number + 8)}</article>", url)))
        memory.learn("news.example", url, articles[-1][1].blocks, WHEN)
    for number, (url, article) in enumerate(articles):
        assert slogan in sentences(article)
        kept, boilerplate = memory.clean("news.example", url, article.blocks)
        assert [block.text for block in boilerplate] == [slogan]
        assert [block.text for block in kept] == [SENTENCE.format(SPEAKERS[place]) for place in (number, number + 4, number + 8)]


def test_a_hub_has_its_type() -> None:
    links = "".join(f'<div class="card"><h3><a href="/{n}">Story number {n} of the day</a></h3><p>Teaser {n}.</p></div>' for n in range(40))
    outcome = read_article(Page("https://news.example/category/harbour/", f"<html><body><main>{links}</main></body></html>"))
    kind = outcome.page_type if isinstance(outcome, Article) else outcome.reason
    assert kind not in {PageType.ARTICLE, Reason.NO_ARTICLE}


def test_blocks_say_how_much_of_them_is_linked() -> None:
    article = read(f'<article>{prose(0, 1)}<p>See the <a href="/t">timetable of the ferry</a> before you go out at night.</p></article>')
    block = next(block for block in article.blocks if "timetable" in block.text)
    assert block == Block(BlockKind.PARAGRAPH, block.text, 0, round(len("timetable of the ferry") / len(block.text), 3))


@pytest.mark.parametrize(
    "line", ["Monday, 2 March 2026, 9:41 PM", "Updated March 4, 2026 at 7:15 a.m. UTC", "2026-03-04 07:15", "9:41PM", "4/3/2026"]
)
def test_a_line_of_date_and_time_is_one(line: str) -> None:
    assert line not in sentences(read(f"<article><h1>Ferry</h1>{prose(0, 1, 2)}<p>{line}</p>{prose(3, 4)}</article>"))


@pytest.mark.parametrize(
    "line", ["Market 2026", "Mayor 12:30", "1990", "Section 3", "March of the penguins, 2005", "At 6:40 the ferry left"]
)
def test_a_line_with_a_number_is_no_date(line: str) -> None:
    assert line in sentences(read(f"<article><h1>Ferry</h1>{prose(0, 1, 2)}<h2>{line}</h2>{prose(3, 4)}</article>"))


@pytest.mark.timeout(20)
@pytest.mark.parametrize(
    "html",
    [
        f"<p>10:30 {'1' * 50}x</p>{prose(0, 1)}",
        "<table><tr><td>" * 400 + prose(0, 1),
        "".join(f'<h3><a href="/{n}">A headline that is long enough for one {n}</a></h3>' for n in range(8000)),
        "".join(f'<h3><a href="/{n}">More news that is long enough for one {n}</a></h3>' for n in range(3000)),
        "<p>a</p>" * 30_000,
        "<ul><li>" * 2000 + prose(0, 1),
        "<span>" * 5000 + prose(0, 1),
        f"<p {' '.join(f'a{n}=1' for n in range(4_000))}>{SENTENCE}</p>",
    ],
    ids=["digits", "tables", "headlines", "sections", "paragraphs", "lists", "spans", "attributes"],
)
def test_pathological_pages_end(html: str) -> None:
    assert isinstance(read_article(Page("https://news.example/bad", f"<body>{html}</body>")), Article | Rejected)


def test_a_page_that_ours_cannot_read_is_rescued_and_says_so() -> None:
    article = read(
        f"<meta property='og:type' content='article'><h1>Ferry</h1><noscript>{prose(*range(7))}</noscript>",
        "https://news.example/2026/03/04/ferry-story",
    )
    assert article.extraction_path == "rescue"
    assert sentences(article) == [SENTENCE.format(speaker) for speaker in SPEAKERS[:7]]
    assert article.confidence > FALLBACK_BELOW


def known_container(body: str, known: tuple[str, ...]) -> Article:
    html = f"<html><head><title>Ferry</title></head><body><main>{body}</main></body></html>"
    article = read_article(Page("https://news.example/2026/ferry", html, fetched_at=WHEN), None, known)
    assert isinstance(article, Article)
    return article


def test_a_known_container_is_taken_at_once() -> None:
    body = f"<div class='column-7 story'>{prose(0, 1, 2, 3, 4, 5)}</div><div class=extra>{prose(6, 7, 8, 9, 10, 11)}</div>"
    alone, known = known_container(body, ()), known_container(body, ("div.story",))
    assert len(alone.blocks) == 12
    assert sentences(known) == [SENTENCE.format(speaker) for speaker in SPEAKERS[:6]]
    assert known.container == "div.story"


@pytest.mark.parametrize(
    "body",
    [
        f"<div class=story>{prose(0)}</div><div class=extra>{prose(1, 2, 3, 4, 5, 6, 7, 8)}</div>",  # hardly anything in it
        f"<div class=story>{prose(0, 1, 2, 3, 4, 5)}</div><div class=story>{prose(6, 7, 8, 9, 10, 11)}</div>",  # which one?
        f"<div class=new>{prose(0, 1, 2, 3, 4, 5)}</div>",  # it left the site
    ],
)
def test_a_known_container_without_a_plausible_body_is_not_taken(body: str) -> None:
    assert known_container(body, ("div.story",)) == known_container(body, ())


def test_an_element_without_names_is_known_by_the_one_around_it() -> None:
    body = f"<div class=a><div id=post-17><section>{prose(0, 1, 2, 3, 4, 5)}</section><p>Box.</p></div></div>"
    assert known_container(body, ()).container == "div.a>div>section"


def card(place: int, *numbers: int) -> str:
    return f"<article><h2><a href=/{place}>Part {place} of what the island said about its ferry</a></h2>{prose(*numbers)}</article>"


def test_articles_that_hold_the_story_are_its_parts() -> None:
    parts = card(1, 0, 1, 2) + card(2, 3, 4, 5) + card(3, 6, 7, 8) + card(4, 9, 10, 11)
    assert all(SENTENCE.format(speaker) in sentences(read(f"<main><h1>Ferry</h1>{parts}</main>")) for speaker in SPEAKERS)
    beside = f"<main><h1>Ferry</h1>{prose(*range(10))}{card(1, 10)}{card(2, 11)}</main>"
    assert SENTENCE.format(SPEAKERS[11]) not in sentences(read(beside))


def test_linked_headings_with_excerpts_are_teasers_unless_they_are_the_story() -> None:
    teasers = "".join(f"<h3><a href=/{n}>The ferry in its year number {n}</a></h3>{prose(n)}" for n in (9, 10, 11))
    assert SENTENCE.format(SPEAKERS[9]) in sentences(read(f"<article><h1>Ferry</h1>{prose(*range(6))}{teasers}</article>"))
    small = "".join(f"<h3><a href=/{n}>The ferry in its year number {n}</a></h3><p>Year {n}, briefly.</p>" for n in (9, 10, 11))
    assert "Year 9, briefly." not in sentences(read(f"<article><h1>Ferry</h1>{prose(*range(6))}{small}<h2>Fog</h2>{prose(6)}</article>"))


def test_an_announced_list_of_links_is_the_articles_own() -> None:
    links = "<ul>" + "".join(f"<li><a href=/{n}>The harbour's report of the year 200{n}</a></li>" for n in range(4)) + "</ul>"
    own = f"<article><h1>Ferry</h1>{prose(0, 1, 2)}<p>All that is said here can be read in these reports:</p>{links}{prose(3, 4)}</article>"
    assert "The harbour's report of the year 2003" in sentences(read(own))
    other = f"<article><h1>Ferry</h1>{prose(0, 1, 2)}{links}{prose(3, 4)}</article>"
    assert "The harbour's report of the year 2003" not in sentences(read(other))


def test_a_section_named_like_the_page_is_not_its_head() -> None:
    body = f"<article>{prose(0)}<h2>Ferry</h2>{prose(*range(1, 12))}</article>"
    assert sentences(read(body))[0] == SENTENCE.format(SPEAKERS[0])


def test_cards_under_a_related_heading_are_teasers_however_many() -> None:
    for heading in ("You might also like", "Você pode gostar...", "Das könnte Sie auch interessieren", "関連記事"):
        body = f"<main><h1>Ferry</h1>{prose(0, 1, 2, 3)}<h2>{heading}</h2>{''.join(card(n, n, n - 1) for n in range(5, 12))}</main>"
        assert sentences(read(body)) == [SENTENCE.format(speaker) for speaker in SPEAKERS[:4]]


@pytest.mark.parametrize("label", ["Anzeige", "Publicidad", "Lire la suite", "Читать далее", "続きを読む", "阅读全文", "Advertisement"])
def test_labels_in_other_languages(label: str) -> None:
    assert label not in sentences(read(f"<article><h1>Ferry</h1>{prose(0, 1, 2)}<p>{label}</p>{prose(3, 4)}</article>"))


def test_where_hardly_anything_is_seen_the_longest_of_what_was_left_out_is_the_article() -> None:
    """Many notes in boxes hold more together than the article whose wrapper has a navigation's name."""
    boxes = "".join(
        f"<div class=popup-box>{prose(n, n - 1)}<p>Note {n}, which is about {SPEAKERS[n]}s alone, as is said.</p></div>"
        for n in range(5, 12)
    )
    body = f"<main><h1>Ferry</h1><div class=content-nav-part>{prose(0, 1, 2, 3, 4, 5)}</div>{boxes}</main>"
    assert sentences(read(body)) == [SENTENCE.format(speaker) for speaker in SPEAKERS[:6]]


@pytest.mark.parametrize(
    "own",
    [
        [
            "港口管理局周二宣布，渡轮将在雾散后恢复航行。",
            "船长说，这是十年来最长的一次停航，许多居民只能留在岛上。",
            "下周将公布新的时刻表。",
        ],
        ["港湾局は火曜日、霧が晴れ次第フェリーの運航を再開すると発表した。", "船長によると、これほど長い運休は十年ぶりだという。"],
        ["항만청은 화요일 안개가 걷히는 대로 여객선 운항을 재개한다고 밝혔다.", "선장은 십 년 만에 가장 긴 결항이라고 말했다."],
        [
            "أعلنت سلطة الميناء يوم الثلاثاء أن العبارة ستعود إلى الإبحار بمجرد انقشاع الضباب.",
            "وشكر رئيس البلدية المتطوعين الذين حملوا الطعام.",
        ],
    ],
)
@pytest.mark.parametrize("shape", ["<p>{}</p>", "{}<br><br>", "<div>{}</div>"])
def test_prose_of_other_scripts_is_prose(own: list[str], shape: str) -> None:
    beside = "<div><p>Copyright 2026 The News Example. All rights reserved.</p></div>"
    own = [f"{sentence} {year}" for year in (2024, 2025, 2026) for sentence in own]
    story = "".join(shape.format(sentence) for sentence in own)
    head = "<meta property='og:type' content='article'>"
    html = f"<html><head><title>F</title>{head}</head><body><div><h1>Ferry</h1><div>{story}</div></div>{beside}</body></html>"
    article = read_article(Page("https://news.example/2026/03/04/the-ferry-sails-again", html, fetched_at=WHEN))
    assert isinstance(article, Article)
    assert sentences(article) == own


STANDFIRST = (
    "The ferry between the island and the town sails again after three weeks of fog, and the mayor says that it will sail twice a day from "
    "now on, which the captain doubts."
)


@pytest.mark.parametrize(("standfirst", "is_text"), [(STANDFIRST, True), (STANDFIRST[:90], False)])
def test_a_long_standfirst_is_text_and_a_short_one_is_a_second_headline(standfirst: str, is_text: bool) -> None:
    for tag in ("p", "h2"):
        head = f"<header><h1>Ferry</h1><{tag} class=intro>{standfirst}</{tag}><p>4 March, Ada Marsh</p></header>"
        article = read(f"<article>{head}<div class=article-body>{prose(*range(8))}</div></article>")
        assert (standfirst in sentences(article)) is is_text


@pytest.mark.parametrize("language", ["de", "es", "fr"])
def test_a_short_standfirst_is_text_in_other_languages_than_english(language: str) -> None:
    head = f"<header><h1>Ferry</h1><p class=intro>{STANDFIRST[:90]}</p></header>"
    html = f"<html lang={language}><body><article>{head}<div class=article-body>{prose(*range(8))}</div></article></body></html>"
    article = read_article(Page("https://news.example/2026/ferry", html, fetched_at=WHEN))
    assert isinstance(article, Article)
    assert STANDFIRST[:90] in sentences(article)


@pytest.mark.parametrize(
    "label",
    [
        "Das könnte Sie auch interessieren", "Zuletzt aktualisiert: gestern", "Bildquelle: Harbour Post", "Rezept drucken",
        "También te puede interesar", "Suscríbete a nuestro boletín", "Publié le 4 mars", "Iscriviti alla newsletter", "Print Recipe",
        "Compartilhe esta notícia", "Lees ook: de veerboot",
    ],
)  # fmt: skip
def test_notes_in_other_languages(label: str) -> None:
    assert label not in sentences(read(f"<article><h1>Ferry</h1>{prose(0, 1, 2)}<p>{label}</p>{prose(3, 4)}</article>"))


@pytest.mark.parametrize(
    "notice",
    [
        "An dieser Stelle finden Sie einen externen Inhalt, der den Artikel ergänzt. Sie können ihn sich anzeigen lassen.",
        "Ich bin damit einverstanden, dass mir externe Inhalte angezeigt werden.",
        "This article contains affiliate links. We may earn a commission from what you buy.",
        "To view this video please accept the cookies of its host and load the page again.",
        "Folgst du der Harbour Post schon auf Whatsapp?",
    ],
)
def test_a_notice_of_the_site_is_not_text(notice: str) -> None:
    assert notice not in sentences(read(f"<article><h1>Ferry</h1>{prose(0, 1, 2)}<p>{notice}</p>{prose(3, 4)}</article>"))


@pytest.mark.parametrize(
    "last",
    [
        "Ada Marsh is a reporter of the Harbour Post and has written about the ferry for ten years.",
        "The mayor writes a letter each week. <a href=/letter>Sign up for the newsletter</a>.",
        "Follow the Harbour Post on Twitter for the latest about the ferry.",
        "The opinions expressed here are those of the captain.",
    ],
)
def test_what_follows_the_last_prose_is_not_text(last: str) -> None:
    byline = "<meta name=author content='Ada Marsh'>"
    html = f"<html><head>{byline}</head><body><article><h1>Ferry</h1>{prose(0, 1, 2, 3, 4)}<p>{last}</p></article></body></html>"
    article = read_article(Page("https://news.example/2026/ferry", html, fetched_at=WHEN))
    assert isinstance(article, Article)
    assert sentences(article) == [SENTENCE.format(SPEAKERS[number]) for number in range(5)]


def test_comments_are_not_the_article_however_long() -> None:
    comments = "".join(f"<li class=comment><p>{SENTENCE.format(speaker)} That is what I think of it.</p></li>" for speaker in SPEAKERS * 2)
    article = read(f"<article><h1>Ferry</h1>{prose(*range(6))}</article><ol class=commentlist>{comments}</ol>")
    assert sentences(article) == [SENTENCE.format(SPEAKERS[number]) for number in range(6)]


def test_a_list_of_headlines_with_kickers_is_not_text() -> None:
    links = "".join(f"<li>Island: <a href=/{n}>The ferry in its year number {n} and what it cost</a></li>" for n in range(4))
    article = read(f"<article><h1>Ferry</h1>{prose(0, 1, 2)}<ul>{links}</ul>{prose(3, 4)}</article>")
    assert sentences(article) == [SENTENCE.format(SPEAKERS[number]) for number in range(5)]


def test_large_teasers_under_a_related_heading_are_not_text() -> None:
    excerpt = "What the captain said about the ferry and its engine, which is as old as he is."
    teasers = "".join(f"<h3><a href=/{n}>The ferry in its year number {n}</a></h3><p>{excerpt} {n}</p>" for n in range(4))
    article = read(f"<article><h1>Ferry</h1>{prose(*range(8))}<h2>Related stories</h2><p>4 March 2026</p>{teasers}</article>")
    assert sentences(article) == [SENTENCE.format(SPEAKERS[number]) for number in range(8)]


def test_marks_for_new_windows_are_not_text() -> None:
    link = "<a href=/x>the timetable (opens in a new tab)</a>"
    article = read(f"<article><h1>Ferry</h1>{prose(0, 1, 2)}<p>He read {link} twice before he went out at night.</p></article>")
    assert "He read the timetable twice before he went out at night." in sentences(article)


def test_a_recipe_has_its_ingredients_wherever_they_stand() -> None:
    ingredients = "<section class=recipe-ingredients><h3>Ingredients</h3><ul><li>2 eggs</li><li>100 g flour</li></ul></section>"
    steps = f"<div class=text>{prose(*range(6))}</div>"
    found = sentences(read(f"<article><h1>Ferry cake</h1><div>{ingredients}</div>{steps}</article>"))
    assert found[:3] == ["Ingredients", "2 eggs", "100 g flour"]
    assert len(found) == 9
    found = sentences(read(f"<article><h1>Ferry cake</h1>{steps}<div>{ingredients}</div></article>"))
    assert found[-3:] == ["Ingredients", "2 eggs", "100 g flour"]


def test_a_visible_standfirst_is_the_description_where_none_is_declared() -> None:
    text = f"<article><header><h1>Ferry</h1><p>{STANDFIRST}</p></header><div class=article-body>{prose(*range(8))}</div></article>"
    assert read(text).description == STANDFIRST
    declared = f"<html><head><meta name=description content='A ferry.'></head><body>{text}</body></html>"
    article = read_article(Page("https://news.example/2026/ferry", declared, fetched_at=WHEN))
    assert isinstance(article, Article)
    assert article.description == "A ferry."
    notice = "This article contains affiliate links: we earn a commission from what you buy through them."
    assert read(text.replace(STANDFIRST, notice)).description is None


def test_a_page_that_shows_little_of_its_article_has_it_from_its_data() -> None:
    body = "\\n".join(SENTENCE.format(speaker) for speaker in SPEAKERS)
    script = f'<script type="application/ld+json">{{"@type": "NewsArticle", "headline": "Ferry", "articleBody": "{body}"}}</script>'
    article = read(f"{script}<meta property='og:type' content='article'><h1>Ferry</h1><article>{prose(0)}</article>")
    assert article.extraction_path == "json-ld"
    assert sentences(article) == [SENTENCE.format(speaker) for speaker in SPEAKERS]
    whole = read(f"{script}<article><h1>Ferry</h1>{prose(*range(12))}</article>")
    assert whole.extraction_path == "container"


@pytest.mark.parametrize("credit", ["(Image: GETTY)", "Foto: Ada Marsh", "Harbour Post/Getty Images", "© picture alliance"])
def test_a_caption_in_a_paragraph_is_known_by_its_credit(credit: str) -> None:
    caption = f"The ferry before the old pier in the morning fog {credit}"
    assert caption not in sentences(read(f"<article><h1>Ferry</h1>{prose(0, 1, 2)}<p>{caption}</p>{prose(3, 4)}</article>"))


def test_a_section_of_related_pages_at_the_end_goes_with_all_that_is_in_it() -> None:
    teaser = "<p>4 March</p><p><a href=/{0}>The ferry in its year {0}</a></p><p>What the captain said of the ferry, number {0}.</p>"
    related = "".join(teaser.format(number) for number in range(4))
    article = read(f"<article><h1>Ferry</h1>{prose(*range(10))}<h3>Read this next</h3>{related}</article>")
    assert sentences(article) == [SENTENCE.format(SPEAKERS[number]) for number in range(10)]


def test_an_abstract_is_whole_though_the_description_repeats_its_beginning() -> None:
    abstract = [SENTENCE.format(speaker) for speaker in ("pilot", "diver", "smith")]
    head = f"<meta name=description content='{abstract[0]}'>"
    above = "".join(f"<h3>Part {place}</h3><p>{text}</p>" for place, text in enumerate(abstract))
    html = f"<html><head>{head}</head><body><h1>Ferry</h1><div>{above}</div><div class=article-body>{prose(*range(12))}</div></body></html>"
    article = read_article(Page("https://news.example/2026/ferry", html, fetched_at=WHEN))
    assert isinstance(article, Article)
    assert [text for text in sentences(article) if text in abstract] == abstract


@pytest.mark.parametrize(
    ("names", "is_text"),
    [
        ("js-slider-toggle typo", True),
        ("elementor-element elementor-element-eefe4ad", True),
        ("styles__x1Nav", True),
        ("slider", False),
        ("element-ad", False),
        ("page__nav", False),
    ],
)
def test_hooks_of_scripts_and_names_made_by_programs_say_nothing(names: str, is_text: bool) -> None:
    article = read(f"<article><h1>Ferry</h1>{prose(*range(6))}<div class='{names}'>{prose(7)}</div>{prose(8, 9, 10, 11)}</article>")
    assert (SENTENCE.format(SPEAKERS[7]) in sentences(article)) is is_text
