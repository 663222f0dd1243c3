"""Small PDF documents made by hand."""

from __future__ import annotations

from collections.abc import Sequence


def pdf(pages: Sequence[Sequence[str]], title: str = "", author: str = "", garbage: bytes = b"") -> bytes:
    """A PDF document with these lines on its pages. `garbage` is put behind the content of each page."""
    objects = [b"<< /Type /Catalog /Pages 2 0 R >>", b"", b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>"]
    kids = []
    for lines in pages:
        shown = " ".join(f"({_escaped(line)}) Tj T*" for line in lines)
        content = f"BT /F1 11 Tf 14 TL 60 760 Td {shown} ET".encode("latin-1") + garbage
        objects.append(b"<< /Length %d >>\nstream\n%b\nendstream" % (len(content), content))
        kids.append(len(objects) + 1)
        page = (
            f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents {len(objects)} 0 R /Resources << /Font << /F1 3 0 R >> >> >>"
        )
        objects.append(page.encode())
    objects[1] = f"<< /Type /Pages /Count {len(kids)} /Kids [{' '.join(f'{kid} 0 R' for kid in kids)}] >>".encode()
    objects.append(f"<< /Title ({_escaped(title)}) /Author ({_escaped(author)}) >>".encode("latin-1"))
    out, offsets = b"%PDF-1.7\n", []
    for number, body in enumerate(objects, 1):
        offsets.append(len(out))
        out += b"%d 0 obj\n%b\nendobj\n" % (number, body)
    start = len(out)
    entries = b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    trailer = b"trailer << /Size %d /Root 1 0 R /Info %d 0 R >>\nstartxref\n%d\n%%%%EOF" % (len(objects) + 1, len(objects), start)
    return out + b"xref\n0 %d\n0000000000 65535 f \n%b%b" % (len(objects) + 1, entries, trailer)


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("(", "\\(").replace(")", "\\)")
