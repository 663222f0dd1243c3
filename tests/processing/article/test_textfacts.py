"""The text says what the page says: numbers, table columns, lines, formulas and words come out unchanged."""

from datetime import UTC, datetime

import pytest

from processing.article.article import read_article
from processing.article.tree.characters import without_invisible
from schemas.article import Article, BlockKind
from schemas.page import Page
from tests.processing.article.millpage import PROSE, blocks, text


class TestRaised:
    @pytest.mark.parametrize(
        ("markup", "written"),
        [
            ("in 1874<sup><a href='#n4'>4</a></sup> the mill", "in 1874[4] the mill"),
            ("in 1874<a href='#n4'><sup>4</sup></a> the mill", "in 1874[4] the mill"),
            ("in 1874<a href='#n4'>4</a> the mill", "in 1874[4] the mill"),
            ("in 1874.<sup>4</sup> The mill", "in 1874.[4] The mill"),
            ("by 12%<sup>1,2</sup> in all", "by 12%[1,2] in all"),
            ("in 1874<sup class='footnote'>[4]</sup> the mill", "in 1874[4] the mill"),
            ("about 10<sup>9</sup> grains", "about 10^9 grains"),
            ("about 10<sup>-3</sup> grams", "about 10^-3 grams"),
            ("about 2<sup>n</sup> grains", "about 2^n grains"),
            ("the 2<sup>nd</sup> and the 19<sup>e</sup> century", "the 2nd and the 19e century"),
            ("an area of 40 m<sup>2</sup> and CO<sub>2</sub>", "an area of 40 m2 and CO2"),
            ("for $19<sup>99</sup> a sack", "for $19.99 a sack"),
            ("for 19<sup>99</sup> € a sack", "for 19.99 € a sack"),
            ("at 10<sup>30</sup> Uhr sharp", "at 10:30 Uhr sharp"),
            ("takes 1<sup>1</sup>/<sub>2</sub> days", "takes 1 1/2 days"),
            ("see [2,<a href='#r3'>3</a>] there", "see [2,3] there"),
            ("made by Miller<sup>TM</sup> there", "made by MillerTM there"),
            ("with note <sup>3</sup>40 mills", "with note 3 40 mills"),
            ("with log<sub>10</sub>5 mills", "with log10 5 mills"),
            ("about 10<span style='vertical-align: super'>6</span> grains", "about 10^6 grains"),
            ("about 10<span class=superscript>6</span> grains", "about 10^6 grains"),
            ("in 1874<sup><a href='/notes#4'>4</a></sup> the mill", "in 1874[4] the mill"),
            ("for 19,<sup>99</sup> € a sack", "for 19,99 € a sack"),
            ("for <b>19</b><span class=price-fraction>99</span> € a sack", "for 19.99 € a sack"),
            ("a share of 10<sup>6</sup>/10<sup>3</sup> grains", "a share of 10^6/10^3 grains"),
            ("takes 1<sup>1</sup>/2 days", "takes 1 1/2 days"),
            ("takes 7<sup>½</sup> days", "takes 7½ days"),
            ("at 7<sup>h</sup>30 sharp", "at 7h30 sharp"),
            ("in 1874<a href='/notes#4'>4</a> the mill", "in 1874[4] the mill"),
        ],
    )
    def test_no_number_changes(self, markup: str, written: str) -> None:
        assert (
            text(f"<p>It is said that {markup} of the valley and of its people.</p>")
            == f"It is said that {written} of the valley and of its people."
        )

    @pytest.mark.parametrize(
        ("markup", "written"),
        [
            ("for <del>100</del><ins>90</ins> crowns", "for 90 crowns"),
            ("for <s>100</s><b>90</b> crowns", "for 100 90 crowns"),
            ("for <s>100</s> 90 crowns", "for 100 90 crowns"),
            ("in 18<ins>74</ins> or so", "in 18 74 or so"),
            ("with <del>no</del> water", "with no water"),
        ],
    )
    def test_struck_numbers_do_not_melt_into_new_ones(self, markup: str, written: str) -> None:
        assert (
            text(f"<p>The mill was sold {markup} by the people of the valley.</p>")
            == f"The mill was sold {written} by the people of the valley."
        )
        assert text(f"<table><tr><td>Mill</td><td>{markup}</td></tr><tr><td>a</td><td>b</td></tr></table>") == f"Mill | {written}\na | b"

    @pytest.mark.parametrize(
        ("opening", "written"),
        [
            ("<span class=dropcap>N</span> ow the wheel", "Now the wheel"),
            ("<span class='initial-letter-outer'><span class='initial-letter'>N</span></span> <span>ow the wheel</span>", "Now the wheel"),
            ("<span class=dropcap>A</span> wheel", "A wheel"),
            ("<span class=note>N</span> ow the wheel", "N ow the wheel"),
        ],
    )
    def test_a_drop_cap_belongs_to_its_word(self, opening: str, written: str) -> None:
        assert text(f"<p>{opening} of the old mill turns again.</p>") == f"{written} of the old mill turns again."

    def test_in_a_cell(self) -> None:
        rows = "<tr><td>1874<sup><a href='#c'>3</a></sup></td><td>10<sup>6</sup></td></tr><tr><td>1875</td><td>7</td></tr>"
        assert text(f"<table>{rows}</table>") == "1874[3] | 10^6\n1875 | 7"


class TestTables:
    def test_cells_keep_their_columns(self) -> None:
        rows = "<tr><th>Year<th>Sacks<th>Mills</tr><tr><td>1990<td><td>4</tr><tr><td>1991<td>7<td></tr>"
        assert text(f"<table>{rows}</table>") == "Year | Sacks | Mills\n1990 |  | 4\n1991 | 7 |"

    def test_a_cell_over_rows_and_columns_leaves_empty_ones(self) -> None:
        rows = "<tr><td rowspan=2>North<td colspan=2>Both<td>9</tr><tr><td>1<td>2<td>3</tr><tr><td>South<td>4<td>5<td>6</tr>"
        assert text(f"<table>{rows}</table>") == "North | Both |  | 9\n | 1 | 2 | 3\nSouth | 4 | 5 | 6"

    def test_what_readers_do_not_see_is_not_in_the_cell(self) -> None:
        cell = "<style>.a{color:red}</style><span style='display: none'>000007</span><span hidden>8</span><!-- x -->7"
        rows = f"<tr><td>Sacks<td>{cell}</tr><tr><td>H<sub>2</sub>O and <b>W</b>ater<td>one<br>two<p>three</p></tr>"
        assert text(f"<table>{rows}</table>") == "Sacks | 7\nH2O and Water | one two three"

    def test_a_cell_that_readers_do_not_see_is_no_column(self) -> None:
        rows = "<tr><th>Year<th style='display:none'>Key<th>Mills</tr><tr><td>1990<td hidden>k7<td>4</tr>"
        assert text(f"<table>{rows}</table>") == "Year | Mills\n1990 | 4"

    def test_a_script_in_a_cell_of_data(self) -> None:
        rows = "<tr><th>Year<th>Sacks<th>Mills</tr><tr><td>1990<td><script>ad()</script><noscript>no</noscript><td>4</tr>"
        assert text(f"<table>{rows}</table>") == "Year | Sacks | Mills\n1990 |  | 4"

    @pytest.mark.parametrize(
        ("inner", "written"),
        [
            ("<table><tr><td>8:00<td>9:00</tr><tr><td>10:00<td></tr></table>", "8:00, 9:00; 10:00,"),
            (
                "from <table>\n <thead>\n <tr><th>h </th>\n <th>m</th></tr></thead><tbody><tr><td>8<td>0</tbody></table> on",
                "from h, m; 8, 0 on",
            ),
            ("<table><tr><td>daily</td></tr></table>", "daily"),
            ("<table><tr><td><table><tr><td>1<td>2</table><td>3</table>", "1, 2, 3"),
        ],
    )
    def test_a_table_in_a_cell_is_the_text_of_that_cell(self, inner: str, written: str) -> None:
        rows = f"<tr><th>Ferry<th>Times<th>Fare</tr><tr><td>North<td>{inner}<td>4</tr>"
        assert text(f"<table>{rows}</table>") == f"Ferry | Times | Fare\nNorth | {written} | 4"
        grid = f"<tr><td>Ferry<td>Times<td>Fare</tr><tr><td>North<td>{inner}<td>4</tr><tr><td>South<td>never<td>5</tr>"
        assert text(f"<table>{grid}</table>") == f"Ferry | Times | Fare\nNorth | {written} | 4\nSouth | never | 5"

    def test_a_table_that_lays_out_others_is_none(self) -> None:
        inner = "<table><tr><td>Sacks<td>7</tr><tr><td>Mills<td>2</tr></table>"
        assert blocks(f"<table><tr><td>In the valley<td>{inner}</tr></table>") == [
            (BlockKind.PARAGRAPH, "In the valley"),
            (BlockKind.TABLE, "Sacks | 7\nMills | 2"),
        ]

    @pytest.mark.parametrize("hidden", ["hidden", "style='display:none'"])
    def test_a_row_that_readers_do_not_see_is_none(self, hidden: str) -> None:
        assert text(f"<table><tr><th>A<th>B</tr><tr {hidden}><td>x<td>1</tr><tr><td>y<td>2</tr></table>") == "A | B\ny | 2"

    def test_a_picture_that_is_all_of_a_cell(self) -> None:
        rows = "<tr><td>a<td><img src=y.png alt=Yes></tr><tr><td><img src=b.png alt='b.png'>b<td><img src=c.png alt='c.png'></tr>"
        assert text(f"<table><tr><th>A<th>B</tr>{rows}</table>") == "A | B\na | Yes\nb |"

    def test_cells_made_of_other_elements_do_not_melt(self) -> None:
        assert text("<div role=row><span role=cell>in 1990</span><span role=cell>42 mills of the valley</span></div>") == (
            "in 1990 42 mills of the valley"
        )

    def test_a_caption_is_kept(self) -> None:
        rows = "<tr><td>Sacks<td>7</tr><tr><td>Mills<td>2</tr>"
        assert blocks(f"<table><caption>The valley in <b>n</b>umbers</caption>{rows}</table>") == [
            (BlockKind.CAPTION, "The valley in numbers"),
            (BlockKind.TABLE, "Sacks | 7\nMills | 2"),
        ]


class TestLines:
    @pytest.mark.parametrize(
        "markup",
        [
            "<pre>one\n  two\nthree</pre>",
            "<pre>one<br>  two<br>three</pre>",
            "<pre><code><span class=line>one</span>\n<span class=line>  two</span>\n<span class=line>three</span></code></pre>",
            "<pre><div>one</div><div>  two</div><div>three</div></pre>",
        ],
    )
    def test_preformatted_text_keeps_them(self, markup: str) -> None:
        assert blocks(markup) == [(BlockKind.CODE, "one\n  two\nthree")]

    @pytest.mark.parametrize(
        "markup",
        [
            "<pre><span class=lineno>1</span>one\n<span class=lineno>2</span>  two\n<span class=lineno>3</span>three</pre>",
            "<table><tr><td class=gutter><pre>1\n2\n3</pre></td><td class=code><pre>one\n  two\nthree</pre></td></tr></table>",
            "<pre><table><tr><td class=rouge-gutter><pre class=lineno>1\n2\n3\n</pre><td><pre>one\n  two\nthree</pre></table></pre>",
        ],
    )
    def test_numbers_of_lines_are_no_code(self, markup: str) -> None:
        assert blocks(markup) == [(BlockKind.CODE, "one\n  two\nthree")]


class TestInline:
    @pytest.mark.parametrize(
        ("markup", "written"),
        [
            ("said <q>turn <q>again</q></q> twice", "said “turn ‘again’” twice"),
            ("said “<q>turn</q>” twice", "said “turn” twice"),
            ("said <q>“turn”</q> twice", "said “turn” twice"),
            ("was glad <img class=emoji alt='🎉' src=1.svg> then", "was glad 🎉 then"),
            ("turns<span hidden> not</span><span style='visibility: hidden'> never</span> now", "turns now"),
            ("turns<em hidden> not</em><b style='display:none'> never</b><i class=material-icons>share</i> now", "turns now"),
        ],
    )
    def test_what_readers_see_in_the_line(self, markup: str, written: str) -> None:
        assert text(f"<p>The miller {markup} as the people of the valley know.</p>") == (
            f"The miller {written} as the people of the valley know."
        )

    def test_a_quotation_names_who_is_quoted(self) -> None:
        inner = "<p>The mill of the valley will turn again in spring.</p><footer>— Ann Lee</footer>"
        assert [own for _, own in blocks(f"<blockquote>{inner}</blockquote>")][1] == "— Ann Lee"

    def test_an_edit_link_is_no_part_of_a_heading(self) -> None:
        inner = "<h2><span>The wheel</span><span class=mw-editsection>[<a href=/e>edit</a>]</span></h2>"
        assert blocks(f"{inner}{PROSE.replace('mill', 'saw')}")[0] == (BlockKind.HEADING, "The wheel")

    @pytest.mark.parametrize(
        "markup",
        [
            "<st1:city w:st='on'>Millford</st1:city>",
            "<place-name>Millford</place-name>",
            "<x-a><x-b>Millford</x-b></x-a>",
            "<noindex><a href='https://e.example/'>Millford</a></noindex>",
            "<output>Millford</output>",
            "<ruby><rb>Millford</rb><rt>mil-ford</rt></ruby>",
            "<ruby>Millford<rp>(</rp><rt>mil-ford</rt><rp>)</rp></ruby>",
            "<a href='https://e.example/'><place-name>Millford</place-name></a>",
        ],
    )
    @pytest.mark.parametrize("tag", ["p", "div", "li"])
    def test_unknown_elements_stay_in_the_line(self, tag: str, markup: str) -> None:
        before, behind = "The miller walked to", "on a rainy evening, and he spoke for a long while."
        assert text(f"<{tag}>{before} {markup} {behind}</{tag}>") == f"{before} Millford {behind}"

    def test_an_unknown_element_begins_a_paragraph(self) -> None:
        assert text("<p><place-name>Millford</place-name> was a quiet place before the mill began to turn again.</p>").startswith(
            "Millford was"
        )

    def test_unknown_elements_around_paragraphs_are_blocks(self) -> None:
        inner = "<x-body><x-part>The first part is a paragraph of its own.</x-part><x-part>The second is another one.</x-part></x-body>"
        assert [own for _, own in blocks(inner)] == ["The first part is a paragraph of its own.", "The second is another one."]

    def test_a_button_that_is_the_heading(self) -> None:
        inner = "<h2><button type=button>How does the mill turn?</button></h2><p>It turns by the water of the river below.</p>"
        assert blocks(inner)[0] == (BlockKind.HEADING, "How does the mill turn?")

    def test_a_button_beside_the_heading(self) -> None:
        assert blocks("<h2>The wheel <button>Copy link</button></h2><p>It turns by the water of the river below.</p>")[0][1] == "The wheel"


KATEX = (
    "<span class=katex><span class=katex-mathml><math><semantics><mi>x</mi><annotation encoding='application/x-tex'>x^2</annotation>"
    "</semantics></math></span><span class=katex-html aria-hidden=true>x2</span></span>"
)
WIKIPEDIA = (
    "<span class=mwe-math-element><span class=mwe-math-mathml style='display: none;'><math alttext='{\\displaystyle x^2}'><mi>x</mi>"
    "</math></span><img class='mwe-math-fallback-image-inline' alt='{\\displaystyle x^2}'></span>"
)


class TestFormulas:
    @pytest.mark.parametrize(
        ("markup", "written"),
        [
            ("<math alttext='E=mc^2'><mi>E</mi></math>", "E=mc^2"),
            ("<math alttext='{\\displaystyle a+b}'><mi>a</mi></math>", "a+b"),
            ("<math><semantics><mi>a</mi><annotation encoding='application/x-tex'>a_1</annotation></semantics></math>", "a_1"),
            ("<math><mn>42</mn></math>", "42"),
            ("<math><mn>1</mn><mfrac><mn>3</mn><mn>4</mn></mfrac></math>", "1 3/4"),
            ("<math><msup><mn>10</mn><mn>6</mn></msup><mo>+</mo><msqrt><mi>x</mi></msqrt></math>", "10^6+√x"),
            ("<math><mfrac><mrow><mi>a</mi><mo>+</mo><mi>b</mi></mrow><mn>2</mn></mfrac></math>", "(a+b)/2"),
            ("<script type='math/tex'>x^2</script>", "x^2"),
            ("<script type='math/asciimath'>x^2</script>", "x^2"),
            ("<script type='math/mml'><math><msup><mi>x</mi><mn>2</mn></msup></math></script>", "x^2"),
            ("<math><mn>2</mn><mo>&#x2062;</mo><msup><mn>10</mn><mn>3</mn></msup></math>", "2·10^3"),
            ("<math><mi>f</mi><mfenced><mi>a</mi><mi>b</mi></mfenced></math>", "f(a,b)"),
            ("<img src='https://latex.codecogs.com/gif.latex?x' alt='x^2'>", "x^2"),
            ("<span class=MathJax_Preview>[x]</span><script type='math/tex'>x^2</script>", "x^2"),
            ("<img class='latex' src='/f.png' alt='x^2'>", "x^2"),
            (KATEX, "x^2"),
            (WIKIPEDIA, "x^2"),
            (WIKIPEDIA.replace("class=mwe-math-mathml ", ""), "x^2"),
        ],
    )
    def test_a_formula_keeps_its_text_once(self, markup: str, written: str) -> None:
        assert (
            text(f"<p>The force is {markup} as every pupil of the school knows.</p>")
            == f"The force is {written} as every pupil of the school knows."
        )


class TestInvisible:
    @pytest.mark.parametrize(
        ("written", "seen"),
        [
            ("Wasser\u00admühle", "Wassermühle"),
            ("\ufeffmill\u200b and\u2060 river\u200d", "mill and river"),
            ("Auf\u200clage", "Auflage"),
            ("mill\u200e", "mill"),
            ("\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645", "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645"),
            ("\u0d28\u0d4d\u200d", "\u0d28\u0d4d\u200d"),
            ("\u0915\u094d\u200d\u0937", "\u0915\u094d\u200d\u0937"),
            ("\U0001f468\u200d\U0001f469\u200d\U0001f467", "\U0001f468\u200d\U0001f469\u200d\U0001f467"),
            ("\u2764\ufe0f\u200d\U0001f525", "\u2764\ufe0f\u200d\U0001f525"),
            ("\u05d0 C++\u200e \u05d1", "\u05d0 C++\u200e \u05d1"),
        ],
    )
    def test_characters_that_nobody_sees_go(self, written: str, seen: str) -> None:
        assert without_invisible(written) == seen

    def test_in_a_paragraph(self) -> None:
        assert text("<p>Die Wasser&shy;mühle&#8203; dreht sich&nbsp;wieder, seit der Fluss genug Wasser führt.</p>").startswith(
            "Die Wassermühle dreht sich wieder"
        )


@pytest.mark.parametrize("sign", ["<a href='#mill' class=headerlink title=Link>¶</a>", "<a href='#mill'>#</a>", "<a href='#mill'> 🔗 </a>"])
@pytest.mark.parametrize("heading", ["{}The grain of the valley", "The grain of the valley{}"])
def test_the_sign_of_a_link_to_a_heading_is_no_text(heading: str, sign: str) -> None:
    prose = "<p>The grain grew so well after the rain that the farmers had to ask for help from all of their neighbours.</p>"
    assert blocks(f"<h2>{heading.format(sign)}</h2>{prose}")[0] == (BlockKind.HEADING, "The grain of the valley")


@pytest.mark.parametrize(
    "heading", ["<a class=header-anchor href='#grain'><span>{}</span></a>", "2.1 <a class=permalink href='#grain'>{}</a>"]
)
def test_a_heading_that_is_a_link_to_itself_is_text(heading: str) -> None:
    prose = "<p>The grain grew so well after the rain that the farmers had to ask for help from all of their neighbours.</p>"
    assert blocks(f"<h2>{heading.format('The grain of the valley')}</h2>{prose}")[0][1].endswith("The grain of the valley")


@pytest.mark.parametrize(
    ("line", "stays"),
    [
        ("Freitag, 7. März 2025", False), ("Vendredi 7 mars 2025 à 14h05", False), ("пятница, 7 марта 2025 г.", False),
        ("2025年3月7日（金）", False), ("2025년 3월 7일 금요일", False), ("2025. március 7., péntek", False), ("7 มีนาคม 2568", False),
        ("7 Meán Fómhair 2025", False), ("Thứ Sáu, 7/3/2025", False), ("7 ožujka 2025.", False),
        ("Am 7. März 2025 brannte es.", True), ("7 Marines 2025", True), ("Ausgabe 12/2025", True), ("1 Mai", True),
    ],
)  # fmt: skip
def test_a_first_line_that_is_only_a_date_is_no_text(line: str, stays: bool) -> None:
    html = f"<html><head><title>Mill</title></head><body><article><h1>Mill</h1><p>{line}</p>{PROSE}</article></body></html>"
    article = read_article(Page("https://valley.example/2025/mill", html, fetched_at=datetime(2025, 6, 1, tzinfo=UTC)))
    assert isinstance(article, Article)
    assert (article.blocks[0].text == line) is stays


def test_a_declarative_shadow_tree_is_content() -> None:
    inner = "<p>The wheel is made of oak from the forest above the valley.</p><template><p>No.</p></template>"
    shadow = f"<x-card><template shadowrootmode=open>{inner}</template></x-card>"
    assert text(shadow) == "The wheel is made of oak from the forest above the valley."


def test_a_template_without_a_shadow_root_is_none() -> None:
    assert text("<template><p>The wheel is made of oak from the forest above the valley.</p></template>") == ""


@pytest.mark.parametrize(
    "opening",
    [
        "<section id=comments>",
        "<div class='sect commentlinks'>",
        "<div class=commentsection>",
        "<section id='comment-list'>",
        "<div id=disqus_thread>",
        "<section id=kommentare>",
        "<ol id=comments><li>",
        "<section id=isso-thread>",
        "<div class=leserkommentare>",
        "<div id=coral_thread>",
        "<div itemprop=comment itemscope>",
    ],
)
def test_comments_go_by_their_id(opening: str) -> None:
    assert text(f"{opening}<p>I do not believe a word of this, and I have lived in the valley for sixty years now.</p>") == ""


def test_a_section_about_comments_stays() -> None:
    inner = "<section id='comments-of-the-mayor-on-the-mill'><p>The mayor said that she was glad about the mill.</p></section>"
    assert text(inner).startswith("The mayor said")


def test_parts_of_an_article_with_a_boilerplate_name_are_read_where_there_is_nothing_else() -> None:
    parts = "".join(
        f"<section class=toc-part><h2>Part {number}</h2>{PROSE.replace('mill', f'mill {number}')}</section>" for number in range(4)
    )
    around = f"<main class=toc-page><div class=toc-outer><div class=toc-inner><div class=toc-chapters>{parts}</div></div></div></main>"
    html = f"<html><head><title>Mill</title></head><body>{around}</body></html>"
    article = read_article(Page("https://valley.example/2025/mill", html, fetched_at=datetime(2025, 6, 1, tzinfo=UTC)))
    assert isinstance(article, Article)
    assert sum(block.kind is BlockKind.PARAGRAPH for block in article.blocks) == 20
