"""Numbers come out as readers see them: what is raised, small or a mark beside a number does not become digits of it."""

import pytest

from tests.processing.article.millpage import text


@pytest.mark.parametrize(
    ("markup", "written"),
    [
        ("in 1874<small>6</small> the mill", "in 1874 6 the mill"),
        ("for 19<small>99</small> € a sack", "for 19.99 € a sack"),
        ("for <b>19</b><small>,99</small> € a sack", "for 19,99 € a sack"),
        ("for 12<font size=1>50</font> € a sack", "for 12.50 € a sack"),
        ("with CO<small>2</small> there", "with CO2 there"),
        ("about 10<span class=exponent>6</span> grains", "about 10^6 grains"),
        ("in 1874<span class=footnote-ref>5</span> the mill", "in 1874[5] the mill"),
        ("in 1874.<span class=footnote-ref>5</span> The mill", "in 1874.[5] The mill"),
        ("in 1874.<a href='#n5'>5</a> The mill", "in 1874.[5] The mill"),
        ("see [29,36,<a href='#n70'>70</a>] there", "see [29,36,70] there"),
        ("see [<a href='#n2'>29</a>,<a href='#n3'>36</a>,<a href='#n7'>70</a>] there", "see [29,36,70] there"),
        ("see part 3.<a href='#n5'>5</a> there", "see part 3.5 there"),
        ("in 1874<sup>5</sup> the mill", "in 1874[5] the mill"),
        ("in 1874<sup>5)</sup> the mill", "in 1874[5] the mill"),
        ("about 300<sup>12–14</sup> mills", "about 300[12–14] mills"),
        ("about 5 %<sup>1</sup> of it", "about 5 %[1] of it"),
        ("for 1.299<sup>99</sup> EUR a wheel", "for 1.299,99 EUR a wheel"),
        ("open 8<sup>30</sup>–10<sup>00</sup> Uhr there", "open 8:30–10:00 Uhr there"),
        ("open um 12<sup>30</sup> there", "open um 12:30 there"),
        ("at 20<sup>0</sup>C there", "at 20°C there"),
        ("at 20<sup>o</sup> C there", "at 20° C there"),
        ("about 10<sup>10<sup>100</sup></sup> grains", "about 10^10^100 grains"),
        ("a debt of 10<sup>12</sup> € in", "a debt of 10^12 € in"),
        ("some 1,5 × 10<sup>11</sup> USD in", "some 1,5 × 10^11 USD in"),
        ("for 10<sup>99</sup> € a sack", "for 10.99 € a sack"),
        ("for $10<sup>25</sup> a sack", "for $10.25 a sack"),
        ("for 2<sup>15</sup> € a sack", "for 2.15 € a sack"),
        ("for <span class=price>10<sup>20</sup></span> € a sack", "for 10.20 € a sack"),
        ("for <b>19<sup>95</sup></b> € a sack", "for 19.95 € a sack"),
        ("some £350<sup>2</sup> million of", "some £350[2] million of"),
        ("for <s>$49.99</s>$39.99 a sack", "for $49.99 $39.99 a sack"),
        ("about 2<sup>10</sup> grains", "about 2^10 grains"),
        ("sums from 10<sup>12</sup>–2<sup>12</sup> to 10<sup>15</sup> grains", "sums from 10^12–2^12 to 10^15 grains"),
        ("in 20<font color=red>25</font> the mill", "in 2025 the mill"),
        ("in 20<big>25</big> the mill", "in 2025 the mill"),
        ("in 1874<sup>new</sup> the mill", "in 1874 new the mill"),
        ("a mill of 1024<sup>2</sup> parts", "a mill of 1024^2 parts"),
        ("with <span style='display:table-cell'>12</span><span style='display:table-cell'>34</span> sacks", "with 12 34 sacks"),
    ],
)
def test_no_number_changes(markup: str, written: str) -> None:
    assert (
        text(f"<p>It is said that {markup} of the valley and of its people.</p>")
        == f"It is said that {written} of the valley and of its people."
    )


def test_in_a_cell() -> None:
    rows = "<tr><td>19<small>99</small> €<td>10<sup>10<sup>2</sup></sup><tr><td>1875<td>7"
    assert text(f"<table>{rows}</table>") == "19.99 € | 10^10^2\n1875 | 7"


def test_a_drawing_of_a_formula_is_not_read_beside_it() -> None:
    drawn = "<mjx-math aria-hidden=true><mjx-utext>м</mjx-utext></mjx-math>"
    formula = f"<mjx-container>{drawn}<mjx-assistive-mml><math><msup><mi>м</mi><mn>2</mn></msup></math></mjx-assistive-mml></mjx-container>"
    assert text(f"<p>The mill has an area of 40 {formula} in the valley.</p>") == "The mill has an area of 40 м^2 in the valley."
    assert text(f"<table><tr><td>a<td>{formula}<tr><td>b<td>c</table>") == "a | м^2\nb | c"
