"""Decode the bytes of a page to text, and say which charset was used and where it came from.

The order is: byte order mark, HTTP header, `<meta>`, strict UTF-8, detector. A declared charset is used only when the bytes agree with it:
they must decode, valid UTF-8 counts as UTF-8, and the detector must not find a clearly better charset.
Source: HTML Standard, "determining the character encoding". It trusts declarations more than this module does: many on the web are wrong.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from itertools import islice

import pycld2
from resiliparse.parse.encoding import EncodingDetector

from schemas.outcomes import Reason
from storage.warc.charsets import MULTIBYTE, charset_of, codec_of

META_BYTES = 4096  # the standard reads 1024; real pages have `<meta>` later
SAMPLE_BYTES = 262_144  # for the detector: bounds its time
MAX_HEADER_CHARACTERS = 1000  # of a content type: bounds the time of the regular expression
# With fewer bytes outside ASCII the detector may not overrule a declared charset.
MIN_NON_ASCII_BYTES = 4
# The language score of the detector's charset must be this many times that of the declared one.
MIN_SCORE_RATIO = 1.03

_META = re.compile(rb"<meta\b[^>]*?\bcharset\s*=\s*[\"']?\s*([\w.:+-]+)", re.IGNORECASE)
_XML = re.compile(rb"^\s*<\?xml\b[^>]*?\bencoding\s*=\s*[\"']([\w.:-]+)", re.IGNORECASE)
_HTTP = re.compile(r"\bcharset\s*=\s*[\"']?\s*([\w.:+-]+)", re.IGNORECASE)
_MARKUP = re.compile(rb"<(script|style)\b.*?</\1\s*>|<!--.*?-->|<[^>]*>", re.IGNORECASE | re.DOTALL)
_OPENED = re.compile(rb"<(script|style)\b", re.IGNORECASE)
_CLOSED = re.compile(rb"</(script|style)\s*>", re.IGNORECASE)
_CLOSING = b"--></script></style>>"
MAX_UNCLOSED = 16  # see `_without_markup`
# for the same languages, with their letters at other places: the detector takes one for the other, and the words tell them apart
_SIBLINGS = {"windows-1250": "iso-8859-2", "windows-1253": "iso-8859-7", "windows-1257": "iso-8859-13"}
_SIBLINGS |= {sibling: charset for charset, sibling in _SIBLINGS.items()}
_NON_ASCII = re.compile(rb"[\x80-\xff]")
_UTF8_SEQUENCE = re.compile(rb"[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}")
_BOMS = ((b"\xef\xbb\xbf", "utf-8"), (b"\xff\xfe", "utf-16le"), (b"\xfe\xff", "utf-16be"))
_CONTROLS = bytes((*range(1, 9), *range(14, 27), 28, 29, 30, 31))  # that text does not have; an escape begins a character of ISO 2022
_BINARY = re.compile(
    rb"%PDF-|\x89PNG\r\n|GIF8[79]a|\xff\xd8\xff|PK\x03\x04|\x1f\x8b|Rar!|RIFF....WEBP|....ftyp|OTTO\x00|wOF[F2]|\x7fELF", re.DOTALL
)


@dataclass(frozen=True, slots=True)
class Decoded:
    """A page as text. `charset` is a WHATWG name; `source` is `bom`, `http`, `meta`, `utf-8` or `detector`.

    `utf8` is the text in UTF-8 where the page's own bytes are just that.
    """

    html: str
    charset: str
    source: str
    utf8: bytes | None = field(default=None, compare=False, repr=False)


def decode(body: bytes, content_type: str | None = None) -> Decoded | Reason:
    """The text of a page, given its body without content coding, or the reason why there is none.

    `content_type` is the HTTP header's value. The reasons are EMPTY_BODY, NOT_HTML (binary data) and UNDECODABLE.
    """
    if not body.strip(b" \t\r\n\x00"):
        return Reason.EMPTY_BODY
    for bom, charset in _BOMS:
        if body.startswith(bom):
            return _read(body[len(bom) :], charset, "bom") or Reason.UNDECODABLE
    if _BINARY.match(body):
        return Reason.NOT_HTML
    if wide := _wide_charset(body):
        return _read(body, wide, "detector") or Reason.UNDECODABLE
    if _is_binary(body):
        return Reason.NOT_HTML
    declared = list(_declared_charsets(body, content_type))
    return _by_declaration(body, declared) or _by_detector(body, declared) or Reason.UNDECODABLE


def _declared_charsets(body: bytes, content_type: str | None) -> Iterator[tuple[str, str]]:
    """The declared charsets as (WHATWG name, source): the HTTP header before `<meta>`."""
    http = _HTTP.search((content_type or "")[:MAX_HEADER_CHARACTERS])
    if http and (charset := charset_of(http[1])):
        yield charset, "http"
    head = body[:META_BYTES]
    meta = _META.search(head) or _XML.match(head)
    if meta and (charset := charset_of(meta[1].decode("ascii", "replace"))):
        # it was found by reading ASCII, so the page cannot be UTF-16
        yield ("utf-8" if charset.startswith("utf-16") else charset), "meta"


def _by_declaration(body: bytes, declared: list[tuple[str, str]]) -> Decoded | None:
    if body.isascii():
        return _ascii(body, declared)
    as_utf8 = _read(body, "utf-8", "utf-8")
    for charset, source in declared:
        if charset == "utf-8":
            if as_utf8:
                return replace(as_utf8, source=source)
        elif (
            not (as_utf8 and _is_ruled_out(charset, body))
            and (text := _read(body, charset, source))
            and not _detector_disagrees(body, charset)
        ):
            return text
    return as_utf8 or _nearly_utf8(body, declared)


def _ascii(body: bytes, declared: list[tuple[str, str]]) -> Decoded | None:
    if b"\x1b$" in body and (text := _read(body, "iso-2022-jp", "detector")):
        source = next((source for charset, source in declared if charset == text.charset), text.source)
        return Decoded(text.html, text.charset, source)
    for charset, source in declared:
        if text := _read(body, charset, source):
            return text
    return _read(body, "utf-8", "utf-8")


def _is_ruled_out(charset: str, body: bytes) -> bool:
    """Whether bytes that are valid UTF-8 cannot be in a declared charset. A few multi-byte characters may be valid UTF-8 by chance."""
    return charset not in MULTIBYTE or sum(1 for _ in islice(_UTF8_SEQUENCE.finditer(body), 8)) == 8


def _detector_disagrees(body: bytes, charset: str) -> bool:
    sample = _without_markup(body[:SAMPLE_BYTES])
    if len(_NON_ASCII.findall(sample)) < MIN_NON_ASCII_BYTES:
        return False
    other = _detect(sample)
    if other is None or codec_of(other) == codec_of(charset):
        return False
    if charset in MULTIBYTE and other in MULTIBYTE:
        return True
    return _language_score(sample, other) > MIN_SCORE_RATIO * _language_score(sample, charset)


def _without_markup(sample: bytes) -> bytes:
    """The text of a sample. Many unclosed tags are closed at its end first: for each of them the expression would read to the end."""
    return _MARKUP.sub(b" ", sample + _CLOSING if _unclosed(sample) > MAX_UNCLOSED else sample)


def _unclosed(sample: bytes) -> int:
    """An upper bound of the comments, scripts, styles and tags that are open at the end of a sample."""
    closed = {match[1].lower(): match.end() for match in _CLOSED.finditer(sample)}
    elements = sum(match.start() > closed.get(match[1].lower(), -1) for match in _OPENED.finditer(sample))
    return elements + sample.count(b"<!--", max(sample.rfind(b"-->"), 0)) + sample.count(b"<", max(sample.rfind(b">"), 0))


def _language_score(sample: bytes, charset: str) -> float:
    """How sure the language detector is of any language when the sample is read in this charset."""
    text = sample.decode(codec_of(charset), "ignore")
    printable = "".join(character if character.isprintable() else " " for character in text)
    _, _, languages = pycld2.detect(printable, bestEffort=True)
    return float(languages[0][2] * languages[0][3])


def _nearly_utf8(body: bytes, declared: list[tuple[str, str]]) -> Decoded | None:
    """Read UTF-8 with a few broken bytes, as after a cut or an include in another charset."""
    good = sum(1 for _ in _UTF8_SEQUENCE.finditer(body))
    if not good:
        return None
    text = body.decode("utf-8", "replace")
    source = next((source for charset, source in declared if charset == "utf-8"), None)
    most = good // 4 + 1 if source else good // 50
    if text.count("\ufffd") - body.count(b"\xef\xbf\xbd") > most:
        return None
    return Decoded(_clean(text), "utf-8", source or "utf-8")


def _by_detector(body: bytes, declared: list[tuple[str, str]]) -> Decoded | None:
    """Read in the detected charset, with hardly a broken byte. The source is the declaration where one names the same charset."""
    charset = _detect(_without_markup(body[:SAMPLE_BYTES]))
    if charset is None:
        return None
    text = body.decode(codec_of(charset), "replace")
    if text.count("\ufffd") > max(1, len(_NON_ASCII.findall(body)) // 50):
        return None
    confirmed = (source for label, source in declared if codec_of(label) == codec_of(charset))
    return Decoded(_clean(text), charset, next(confirmed, "detector"))


def _detect(sample: bytes) -> str | None:
    detector = EncodingDetector()
    detector.update(sample)
    found = charset_of(detector.encoding(html5_compatible=False))
    other = _SIBLINGS.get(found or "")
    if found is None or other is None:
        return found
    return other if _language_score(sample, other) > _language_score(sample, found) else found


def _read(body: bytes, charset: str, source: str) -> Decoded | None:
    try:
        text = body.decode(codec_of(charset))
    except UnicodeDecodeError:
        return None
    clean = text if charset == "utf-8" and b"\x00" not in body and text[:1] != "\ufeff" else _clean(text)  # bytes are searched faster
    return Decoded(clean, charset, source, body if charset == "utf-8" and len(clean) == len(text) else None)


def _clean(text: str) -> str:
    """Remove NUL and the byte order mark: they have no meaning in a page, and parsers in C stop at NUL."""
    return text.replace("\x00", "").removeprefix("\ufeff")


def _wide_charset(body: bytes) -> str | None:
    """UTF-16 without a byte order mark: every other byte of the markup is NUL."""
    head = body[:512]
    even, odd = head[::2].count(0), head[1::2].count(0)
    if max(even, odd) * 4 < len(head) or min(even, odd) * 8 > max(even, odd):
        return None
    return "utf-16le" if odd > even else "utf-16be"


def _is_binary(body: bytes) -> bool:
    """Whether control characters that text does not have are frequent. A page may have a few NULs."""
    head = body[:4096]
    controls = len(head) - len(head.translate(None, _CONTROLS))
    return controls * 50 > len(head) or head.count(0) * 3 > len(head)
