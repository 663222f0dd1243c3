"""Charsets of real legacy encodings: declared, undeclared, wrongly declared, cut, mixed, and bytes that are not text."""

import pytest

from processing.extract.decode import Decoded, decode
from schemas.outcomes import Reason
from storage.warc.charsets import charset_of

RUSSIAN = (
    "Сегодня утром в городском парке открылась выставка старых автомобилей. Посетители увидели более сорока машин, собранных "
    "любителями за тридцать лет. Мы долго искали эти детали, рассказал один из мастеров."
)
FRENCH = (
    "Ce matin, une exposition de vieilles voitures a été inaugurée dans le parc municipal. Les visiteurs y ont découvert près de "
    "quarante véhicules, rassemblés à force de patience. «Nous avons longtemps cherché ces pièces», a raconté un mécanicien ému."
)
POLISH = (
    "Dziś rano w parku miejskim otwarto wystawę starych samochodów. Zwiedzający mogli obejrzeć ponad czterdzieści pojazdów, które "
    "miłośnicy gromadzili przez trzydzieści lat. Wstęp wolny, a w sobotę odbędzie się parada. Źródło: gazeta miejska."
)
GREEK = (
    "Σήμερα το πρωί άνοιξε στο δημοτικό πάρκο μια έκθεση παλιών αυτοκινήτων. Οι επισκέπτες είδαν περισσότερα από σαράντα οχήματα "
    "που συγκεντρώθηκαν μέσα σε τριάντα χρόνια. Η είσοδος είναι ελεύθερη."
)
TURKISH = (
    "Bu sabah şehir parkında eski otomobiller sergisi açıldı. Ziyaretçiler, meraklıların otuz yıl boyunca topladığı kırktan fazla "
    "aracı görebildi. Giriş ücretsiz, sergi hafta sonuna kadar sürecek ve cumartesi günü geçit töreni yapılacak."
)
JAPANESE = (
    "今朝、市の公園で古い自動車の展示会が始まりました。来場者は、愛好家たちが三十年かけて集めた四十台以上の車を見ることができます。"
    "「部品を探すのに長い時間がかかりました」と整備士の一人は話しました。入場は無料で、展示は週末まで続きます。"
)
KOREAN = (
    "오늘 아침 시립 공원에서 오래된 자동차 전시회가 열렸습니다. 관람객들은 동호인들이 삼십 년 동안 모은 마흔 대가 넘는 차를 볼 수 "
    "있었습니다. 부품을 찾는 데 오랜 시간이 걸렸다고 한 정비사가 말했습니다. 입장은 무료입니다."
)
CHINESE = (
    "今天早上，城市公园里举办了一场老式汽车展览。参观者可以看到爱好者们用三十年时间收集的四十多辆汽车。一位修理工说：我们花了很长时间"
    "寻找这些零件。展览免费入场，将持续到本周末，星期六还有车队游行。"
)
TAIWANESE = (
    "今天早上，城市公園裡舉辦了一場老式汽車展覽。參觀者可以看到愛好者們用三十年時間收集的四十多輛汽車。一位修理工說：「我們花了很長時間"
    "尋找這些零件。」展覽免費入場，將持續到本週末，星期六還有車隊遊行。"
)

ENCODED = [
    (RUSSIAN, "windows-1251", "cp1251"),
    (RUSSIAN, "koi8-r", "koi8-r"),
    (RUSSIAN, "iso-8859-5", "iso8859-5"),
    (FRENCH, "windows-1252", "cp1252"),
    (POLISH, "windows-1250", "cp1250"),
    (POLISH, "iso-8859-2", "iso8859-2"),
    (GREEK, "iso-8859-7", "iso8859-7"),
    (TURKISH, "iso-8859-9", "iso8859-9"),
    (JAPANESE, "shift_jis", "cp932"),
    (JAPANESE, "euc-jp", "euc_jp"),
    (JAPANESE, "iso-2022-jp", "iso2022_jp"),
    (KOREAN, "euc-kr", "euc_kr"),
    (CHINESE, "gb18030", "gb18030"),
    (CHINESE, "gb2312", "gb2312"),
    (TAIWANESE, "big5", "big5"),
]
WRONG = ["utf-8", "iso-8859-1", "windows-1251", "windows-1250", "shift_jis", "gb2312", "euc-kr", "koi8-r"]


def page(text: str, meta: str = "") -> str:
    declared = f'<meta charset="{meta}">' if meta else ""
    return f"<!doctype html><html><head>{declared}<title>x</title></head><body><nav><a href='/'>Home</a></nav><p>{text}</p></body></html>"


def decoded(body: bytes, content_type: str | None = None) -> Decoded:
    result = decode(body, content_type)
    assert isinstance(result, Decoded)
    return result


@pytest.mark.parametrize(("text", "label", "codec"), ENCODED)
class TestLegacyCharset:
    def test_declared_by_meta(self, text: str, label: str, codec: str) -> None:
        result = decoded(page(text, label).encode(codec))
        assert text in result.html
        assert (result.charset, result.source) == (charset_of(label), "meta")

    def test_declared_by_the_header_and_contradicted_by_meta(self, text: str, label: str, codec: str) -> None:
        result = decoded(page(text, "utf-8").encode(codec), f'text/html; Charset="{label.upper()}"')
        assert text in result.html
        assert result.source == "http"

    def test_undeclared(self, text: str, label: str, codec: str) -> None:
        result = decoded(page(text).encode(codec), "text/html")
        assert text in result.html
        assert result.source == "detector"

    def test_wrongly_declared(self, text: str, label: str, codec: str) -> None:
        missed = [wrong for wrong in WRONG if text not in decoded(page(text, wrong).encode(codec)).html]
        # KOI8-R bytes happen to be valid Shift_JIS in which a language is recognised: no byte tells the difference
        assert missed == (["shift_jis"] if label == "koi8-r" else [])


@pytest.mark.parametrize("wrong", ["iso-8859-1", "windows-1251", "gb2312", "x-unheard-of"])
def test_utf8_is_utf8_whatever_is_declared(wrong: str) -> None:
    for text in (RUSSIAN, FRENCH, JAPANESE):
        result = decoded(page(text, wrong).encode(), f"text/html; charset={wrong}")
        assert text in result.html
        assert (result.charset, result.source) == ("utf-8", "utf-8")


@pytest.mark.parametrize("codec", ["utf-8-sig", "utf-16"])
def test_a_byte_order_mark_wins(codec: str) -> None:
    result = decoded(page(GREEK, "iso-8859-1").encode(codec), "text/html; charset=koi8-r")
    assert GREEK in result.html
    assert result.source == "bom"
    assert result.html.startswith("<!doctype")


@pytest.mark.parametrize("codec", ["utf-16-le", "utf-16-be"])
def test_utf16_without_a_mark(codec: str) -> None:
    result = decoded(page(FRENCH).encode(codec))
    assert FRENCH in result.html
    assert result.charset == codec.replace("-", "", 1).replace("utf", "utf-").replace("-le", "le").replace("-be", "be")


def test_ascii_keeps_its_declaration() -> None:
    assert decoded(page("plain", "iso-8859-1").encode()).charset == "windows-1252"
    assert decoded(page("plain").encode()).source == "utf-8"


def test_utf8_cut_inside_a_character() -> None:
    body = page(RUSSIAN, "utf-8").encode()
    result = decoded(body[: body.rindex(RUSSIAN[-2].encode()) + 1])
    assert RUSSIAN[:-2] in result.html
    assert (result.charset, result.source) == ("utf-8", "meta")


def test_utf8_with_a_latin1_include() -> None:
    result = decoded(page(RUSSIAN, "utf-8").encode() + "<p>caf\xe9</p>".encode("latin-1"))
    assert RUSSIAN in result.html
    assert "caf\ufffd" in result.html


def test_windows_1252_with_an_undefined_byte() -> None:
    result = decoded(page(FRENCH, "windows-1252").encode("cp1252") + b"<p>\x81</p>")
    assert FRENCH in result.html
    assert (result.charset, result.source) == ("windows-1252", "meta")


def test_bytes_that_are_utf8_are_handed_on() -> None:
    body = page(RUSSIAN, "utf-8").encode()
    assert decoded(body).utf8 is body
    assert decoded(b"\xef\xbb\xbf" + body).utf8 == body
    for other in (page(RUSSIAN, "windows-1251").encode("cp1251"), body + b"\x00", body + b"<p>\xff</p>"):
        assert decoded(other).utf8 is None


def test_nulls_are_removed() -> None:
    assert decoded(b"<p>a\x00b</p>\x00" * 20).html == "<p>ab</p>" * 20


@pytest.mark.parametrize("body", [b"", b" \r\n\t ", b"\x00" * 100])
def test_nothing(body: bytes) -> None:
    assert decode(body, "text/html") is Reason.EMPTY_BODY


@pytest.mark.parametrize(
    "body", [b"%PDF-1.7\n%\xe2\xe3", b"\x89PNG\r\n\x1a\n\x00", b"\xff\xd8\xff\xe0\x00\x10JFIF", bytes(range(1, 256)) * 20]
)
def test_binary_data_is_no_page(body: bytes) -> None:
    assert decode(body, "text/html; charset=utf-8") is Reason.NOT_HTML


def test_undecodable() -> None:
    noise = bytes(128 + (i * i * 7 + i * 13) % 128 for i in range(3000))
    assert decode(b"<html><body><p>" + noise + b"</p>", "text/html; charset=utf-8") is Reason.UNDECODABLE


@pytest.mark.parametrize(
    ("label", "name"),
    [
        ("x-sjis", "shift_jis"),
        ("ks_c_5601-1987", "euc-kr"),
        ("LATIN1", "windows-1252"),
        ("'utf8'", "utf-8"),
        ("win-1251", "windows-1251"),
        ("none", None),
        ("", None),
    ],
)
def test_labels(label: str, name: str | None) -> None:
    assert charset_of(label) == name


@pytest.mark.parametrize("charset", ["iso-8859-2", "windows-1250"])
@pytest.mark.parametrize(
    "text",
    [
        "Rada portu małego miasta zdecydowała, że stara linia promowa będzie działać do końca przyszłego roku. Źródło: ćma.",
        "Rada přístavu malého města rozhodla, že stará trajektová linka zůstane otevřena do konce příštího roku. Žluťoučký kůň.",
    ],
)
def test_charsets_of_the_same_languages_are_told_apart(text: str, charset: str) -> None:
    html = f"<html><body><p>{text}</p></body></html>"
    result = decode(html.encode(charset))
    assert isinstance(result, Decoded)
    assert (result.html, result.charset) == (html, charset)
