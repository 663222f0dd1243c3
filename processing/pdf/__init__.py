"""Read PDF documents: title, authors and text, by PDFium.

In: the bytes of a document. Out: a `PdfDocument`, or a sentence that says why it cannot be read. It runs inside a page worker, which
limits time and memory. `document.read_pdf` is what others call.
"""
