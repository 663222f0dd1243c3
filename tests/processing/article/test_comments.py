"""Comments and posts, in the markup of forums and blogs of many kinds and languages."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from processing.article.page_body.comments import Comment, read_comments
from processing.article.tree.parse import parse
from tests.cpu import growth

TEXT = "The ferry crosses the harbour in half an hour, and the boats of next year will be faster, says the town"


def text(number: int) -> str:
    return f"{TEXT} {number}."


def seen(comments: list[Comment]) -> list[tuple[str | None, str | None, int, str]]:
    return [(one.author, f"{one.published_at:%Y-%m-%d %H:%M}" if one.published_at else None, one.level, one.text) for one in comments]


# Each is the markup of one post: {i} is its number from 0, {d} the day from 1, {t} its text.
FORMS = {
    "phpBB": """
      <div id="p1{i}" class="post bg1"><dl class="postprofile"><dt><a class="username">Ann{i}</a></dt><dd>Captain</dd>
      <dd>Posts: 9</dd></dl><div class="postbody">
      <p class="author">by <a class="username">Ann{i}</a> <time datetime="2024-05-0{d}T10:00:00Z">May</time></p>
      <div class="content">{t}</div><div class="signature">Nobody expects this signature</div></div></div>""",
    "XenForo": """
      <article class="message message--post js-post" data-author="Ann{i}" id="js-post-{i}"><section class="message-user">
      <h4>Ann{i}</h4><h5 class="userTitle">Member</h5><dl><dt>Messages</dt><dd>1,234</dd></dl></section><header>
      <time datetime="2024-05-0{d}T10:00:00+0000">May</time></header><div class="message-content">
      <article class="message-body"><div class="bbWrapper">{t}</div></article>
      <aside class="message-signature">A signature of some words</aside></div><footer><a>Like</a></footer></article>""",
    "Discourse": """
      <div itemprop="comment" class="topic-body crawler-post"><span itemprop="author"><span itemprop="name">Ann{i}</span>
      </span><time itemprop="datePublished" datetime="2024-05-0{d}T10:00:00Z">May</time><div class="post" itemprop="text">
      <p>{t}</p></div><span class="post-likes">1 Like</span></div>""",
    "vBulletin": """
      <table id="post1{i}"><tr><td class="thead">05-0{d}-2024, 10:00 AM</td><td>#{d}</td></tr><tr><td>
      <a class="bigusername">Ann{i}</a><div>Senior Member</div></td><td><div id="post_message_1{i}">{t}</div>
      <div>__________________<br>A signature</div></td></tr></table>""",
    "SMF": """
      <div class="post_wrapper"><div class="poster"><h4><a>Ann{i}</a></h4><ul><li>Posts: 120</li></ul></div>
      <div class="postarea"><div class="smalltext">« Reply #{d} on: May 0{d}, 2024, 10:00:00 AM »</div><div class="post">
      <div class="inner" id="msg_1{i}">{t}</div></div></div><div class="moderatorbar"><div id="msg_1{i}_signature">Sig</div>
      </div></div>""",
    "FluxBB": """
      <div id="p{i}7" class="blockpost"><h2>#{d} <a>2024-05-0{d} 10:00:00</a></h2><dl><dt><strong>Ann{i}</strong></dt>
      <dd class="usertitle">Member</dd></dl><h3>Re: Ferry</h3><div class="postmsg"><p>{t}</p></div>
      <div class="postsignature postmsg">Sig</div></div>""",
    "old Reddit": """
      <div class="thing comment"><div class="entry"><p class="tagline">
      <a class="author">Ann{i}</a> <span class="score">5 points</span> <time datetime="2024-05-0{d}T10:00:00Z">a day ago</time>
      </p><div class="usertext-body"><div class="md"><p>{t}</p></div></div><ul class="buttons"><li><a>permalink</a></li>
      </ul></div></div>""",
    "GitHub": """
      <div id="issuecomment-{i}1"><div class="timeline-comment"><h3>
      <a class="author">Ann{i}</a> commented <relative-time datetime="2024-05-0{d}T10:00:00Z">May {d}, 2024</relative-time>
      </h3><div class="comment-body"><p>{t}</p></div></div></div>""",
    "Question2Answer": """
      <div id="a{i}9" itemprop="suggestedAnswer"><span class="qa-count">+5</span><div itemprop="text"><p>{t}</p></div>
      <time itemprop="dateCreated" datetime="2024-05-0{d}T10:00:00Z">May</time> by <span itemprop="author">
      <i itemprop="name">Ann{i}</i></span></div>""",
    "CSS modules": """
      <div class="Comment_commentItem__x7A1"><span class="Comment_userName__a1">Ann{i}</span>
      <time datetime="2024-05-0{d}T10:00Z">x</time><div class="Comment_commentText__b2">{t}</div></div>""",
    "no body": """
      <li class="comment"><b class="name">Ann{i}</b> <time datetime="2024-05-0{d}T10:00Z">May</time><p>{t}</p>
      <a href="#">Reply</a></li>""",
    "Invision": """
      <article id="elComment_{i}" class="ipsComment"><aside class="cAuthorPane"><h3><a>Ann{i}</a></h3><ul><li>Members</li>
      </ul></aside><a>Posted <time datetime="2024-05-0{d}T10:00:00Z">May</time></a><div class="ipsComment_content">
      <p>{t}</p></div></article>""",
}
LANGUAGES = {
    "de": """
      <div class="kommentar">
      <span class="kommentar-autor">Von Ann{i}</span> <b class="kommentar-datum">0{d}.05.2024, 10:00 Uhr</b>
      <div class="kommentar-text">{t}</div></div>""",
    "fr": """
      <li class="commentaire"><p class="commentaire-auteur">Ann{i}</p><p class="commentaire-date">{d} mai 2024 à 10h00</p>
      <div class="commentaire-texte">{t}</div></li>""",
    "es": """
      <div class="comentario"><strong class="nombre">Ann{i}</strong><b class="fecha">0{d}/05/2024 10:00</b>
      <p class="texto">{t}</p></div>""",
    "en-GB": """
      <div class="comment"><b class="author">Ann{i}</b><b class="date">0{d}/05/2024 10:00</b><div class="text">{t}</div>
      </div>""",
    "ru": """
      <div class="comment-item"><b class="comment-author">Ann{i}</b><b class="comment-date">{d} мая 2024, 10:00</b>
      <p class="text">{t}</p></div>""",
    "zh": """
      <div class="reply-item"><a class="user-name">Ann{i}</a><b class="reply-time">2024年5月{d}日 10:00</b>
      <p class="reply-content">{t}</p></div>""",
}


def posts(form: str) -> str:
    return "".join(form.format(i=number, d=number + 1, t=text(number)) for number in range(3))


@pytest.mark.parametrize(("language", "form"), [*(("en", form) for form in FORMS.values()), *LANGUAGES.items()])
def test_author_time_and_text_of_each_post(language: str, form: str) -> None:
    found = read_comments(parse(f"<html lang={language}><body><h1>Ferries</h1>{posts(form)}</body></html>"))
    assert seen(found) == [(f"Ann{number}", f"2024-05-0{number + 1} 10:00", 0, text(number)) for number in range(3)]


def nested() -> str:
    head = '<article><div class="comment-author"><b class="fn">{0}</b> <i class="says">says:</i></div><div class="comment-content">'
    inner = f'<ol><li class="comment depth-2">{head.format("Bo")}<p>{text(1)}</p></div><a>Reply</a></article></li></ol>'
    return f'<ol><li class="comment depth-1">{head.format("Ann")}<p>{text(0)}</p></div><a>Reply</a></article>{inner}</li></ol>'


def attributed() -> str:
    return "".join(
        f'<div class="comment" data-depth="{number + 1}"><a class="author">{name}</a><p class="comment-body">{text(number)}</p></div>'
        for number, name in enumerate(("Ann", "Bo"))
    )


def indented() -> str:
    return "".join(
        f'<tr class="athing comtr"><td class="ind" indent="{number}"></td><td><a class="hnuser">{name}</a><div class="comment">'
        f'<div class="commtext">{text(number)}</div><div class="reply"><a>reply</a></div></div></td></tr>'
        for number, name in enumerate(("Ann", "Bo"))
    )


@pytest.mark.parametrize("page", [nested, attributed, lambda: f"<table>{indented()}</table>"], ids=["nested", "attribute", "indented"])
def test_replies_have_a_level(page: Callable[[], str]) -> None:
    found = read_comments(parse(f"<body>{page()}</body>"))
    assert seen(found) == [("Ann", None, 0, text(0)), ("Bo", None, 1, text(1))]


def test_the_author_may_stand_beside_the_named_element() -> None:
    rows = "".join(f'<div><b class="user">Ann{number}</b><div class="comment">{text(number)}</div></div>' for number in range(3))
    assert seen(read_comments(parse(f"<body>{rows}</body>"))) == [(f"Ann{number}", None, 0, text(number)) for number in range(3)]


def test_teasers_called_posts_are_comments_on_a_forum_only() -> None:
    teasers = posts('<div class="post"><b class="author">Ann{i}</b><time datetime="2024-05-0{d}T10:00Z">May</time><p>{t}</p></div>')
    assert read_comments(parse(f"<body>{teasers}</body>"), posts=False) == []
    assert len(read_comments(parse(f"<body>{teasers}</body>"))) == 3


def test_a_page_without_comments() -> None:
    assert read_comments(parse(f"<body><div class=post><b class=author>Ann</b><p>{TEXT}</p></div></body>")) == []


@pytest.mark.parametrize(
    "opening", ["<div class=comment><span class=author>A</span>y", "<div itemprop=comment><a class=author>x</a>y ", "<div class=comment>x "]
)
def test_comments_in_comments_take_time_by_their_number(opening: str) -> None:
    def work(size: int) -> None:
        read_comments(parse(opening * (size // len(opening))))

    assert growth(work, 20_000) < 8
