"""Extract: a WARC segment to staged rows, an article or a reason per record.

`extraction.extract_segment` is the stage; `decode` turns bytes into text, `robots_meta` reads opt-outs of the page, `golden_pages` compares
pages with what must come out of them. Next comes `processing.resolve`.
"""
